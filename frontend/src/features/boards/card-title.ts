import type { Funnel } from "@/api/types";
import { MEASURES } from "@/features/trends/trend-state";
import type { CardContent } from "./card-content";
import { measuredName } from "./cards/trend-series";
import { words } from "./words";

type Asked = Pick<CardContent, "kind" | "title" | "question">;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A card without a title is named by what it asks. */
export function cardTitle({ kind, title, question }: Asked, funnels: readonly Pick<Funnel, "id" | "name">[] = []): string {
  if (title) return title;
  if (kind === "funnel") return funnels.find((funnel) => funnel.id === question.funnel_id)?.name ?? words.kinds.funnel;
  if (kind !== "trends") return words.kinds[kind];
  const names = list(question.series).map((one) => {
    const series = typeof one === "object" && one !== null ? (one as Record<string, unknown>) : {};
    const name = series.name ?? series.event ?? series.page;
    if (typeof name === "string" && name !== "*") return name;
    const property = typeof series.property === "string" ? series.property : null;
    return measuredName("*", MEASURES.find((one) => one === series.measure) ?? "events", property);
  });
  return names.join(", ") || words.kinds.trends;
}
