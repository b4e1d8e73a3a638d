import type { Funnel } from "@/api/types";
import type { CardContent } from "./card-content";
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
    return typeof name === "string" && name !== "*" ? name : words.kinds.events;
  });
  return names.join(", ") || words.kinds.trends;
}
