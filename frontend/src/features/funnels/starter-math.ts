/** First drafts of a funnel: a way that people really go, a template in the project's own names, the events seen, or blank. */
import type { EventName, FunnelTemplate, Suggestions } from "@/api/types";
import { percent } from "@/lib/format";
import { t } from "@/lib/strings";
import { draftFrom } from "./definition-math";
import { emptyDraft, emptyStage, type Draft } from "./draft";
import { w } from "./words";

const SUGGESTED_MAX = 4;
export const SEEN = "seen";
const WAY = /^way-(\d)$/;

export interface Known {
  templates: readonly FunnelTemplate[];
  events: readonly EventName[];
  suggestions: Suggestions | undefined;
}

/** The most frequent events first: people do early steps more often than late ones. */
export function draftOfSeen(events: readonly EventName[]): Draft {
  const names = [...events].sort((one, two) => two.count - one.count).slice(0, SUGGESTED_MAX);
  const stages = names.map((event) => ({ ...emptyStage(), events: [{ name: event.name }] }));
  while (stages.length < 2) stages.push(emptyStage());
  return { ...emptyDraft(), stages };
}

export function starterDraft(from: string | null, { templates, events, suggestions }: Known): Draft {
  if (from === SEEN) return draftOfSeen(events);
  const way = suggestions?.funnels[Number(WAY.exec(from ?? "")?.[1] ?? Number.NaN)];
  if (way) return draftFrom(way.definition);
  const template = templates.find((one) => one.id === from);
  if (!template) return emptyDraft();
  const { name, description, window_seconds } = template;
  const own = suggestions?.templates.find((one) => one.id === from)?.matches.stages;
  return draftFrom({ name, description, stages: own ?? template.stages, window_seconds });
}

export interface Starter {
  from: string | null;
  /** Hardly any of its events are there: offered on demand. */
  isFar?: boolean;
  label: string;
  detail: string | null;
}

/** What a new funnel can start from: ways that people go here first, then the templates that fit best. */
export function startersOf({ templates, events, suggestions }: Known): Starter[] {
  const ways = (suggestions?.funnels ?? []).map((way, index) => ({
    from: `way-${index}`,
    label: way.definition.name ?? "",
    detail: percent(way.overall_conversion_rate),
  }));
  const fitting = suggestions?.templates.map((template) => ({
    from: template.id,
    label: template.name,
    detail: template.matches.fits === "none" ? null : w.builder.fits(template.matches.found, template.matches.needed),
    ...(2 * template.matches.found < template.matches.needed && { isFar: true }),
  }));
  return [
    { from: null, label: t.builder.blank, detail: null },
    ...(events.length > 0 ? [{ from: SEEN, label: t.builder.fromSeen, detail: null }] : []),
    ...ways,
    ...(fitting ?? templates.map((template) => ({ from: template.id, label: template.name, detail: null }))),
  ];
}
