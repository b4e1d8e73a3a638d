/** What of a funnel is shown, as the address says it: `?tab=why`, `?stage=2&side=dropped&person=u1`. */
import type { PeopleKind } from "@/api/types";
import { INTERVALS, type Interval } from "@/features/report/places";

export const TABS = ["steps", "times", "trend", "breakdown", "why", "people"] as const;
export type Tab = (typeof TABS)[number];
export const LAYOUTS = ["horizontal", "vertical"] as const;
export type Layout = (typeof LAYOUTS)[number];
const GROUP_VIEWS = ["table", "charts"] as const;
export type GroupView = (typeof GROUP_VIEWS)[number];

type Changes = Record<string, string | number | null>;

/** The address with some of its parts changed; null takes a part away. */
export function withParts(search: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | null {
  return values.find((value) => value === text) ?? null;
}

/** The selected stage, when the funnel has it. */
export function readStage(search: URLSearchParams, total: number): number | null {
  const order = Number(search.get("stage"));
  return Number.isInteger(order) && order >= 1 && order <= total ? order : null;
}

/** An open stage shows its people unless another tab was chosen since. */
export function readTab(search: URLSearchParams): Tab {
  return oneOf(TABS, search.get("tab")) ?? (search.has("stage") ? "people" : "steps");
}

export function writeTab(search: URLSearchParams, tab: Tab): URLSearchParams {
  const byItself = readTab(withParts(search, { tab: null }));
  return withParts(search, { tab: tab === byItself ? null : tab, person: null });
}

export function writeStage(search: URLSearchParams, stage: number | null, side: PeopleKind = "converted"): URLSearchParams {
  return withParts(search, { tab: null, stage, side: stage === null || side === "converted" ? null : side, person: null, time: null });
}

export interface PeopleChoice {
  stage: number;
  side: PeopleKind;
}

/** Of those who did not reach a stage: who cannot any more, who still may, or all of them. */
export const TIMES = ["all", "left", "open"] as const;
export type Time = (typeof TIMES)[number];

/** The others of a list have nothing to wait for. */
export const readTime = (search: URLSearchParams, side: PeopleKind): Time => (side === "dropped" ? (oneOf(TIMES, search.get("time")) ?? "all") : "all");
export const writeTime = (search: URLSearchParams, time: Time): URLSearchParams => withParts(search, { time: time === "all" ? null : time, person: null });

/** The stage that is marked in the picture: people who did not reach a stage stand in the column before it. */
export function markedStage(search: URLSearchParams, total: number): number | null {
  const stage = readStage(search, total);
  return stage !== null && readPeople(search, total, null).side === "dropped" ? stage - 1 : stage;
}

/** Without a choice in the address: those who were lost where most are lost, else who entered. */
export function readPeople(search: URLSearchParams, total: number, worst: number | null): PeopleChoice {
  if (search.get("side") === "dropped_by_exclusion") return { stage: 1, side: "dropped_by_exclusion" };
  const stage = readStage(search, total);
  if (stage === null) return worst === null ? { stage: 1, side: "converted" } : { stage: worst, side: "dropped" };
  return { stage, side: search.get("side") === "dropped" && stage > 1 ? "dropped" : "converted" };
}

export const readLayout = (search: URLSearchParams): Layout => oneOf(LAYOUTS, search.get("layout")) ?? "horizontal";
export const readInterval = (search: URLSearchParams): Interval | null => oneOf(INTERVALS, search.get("interval"));
export const readGroupView = (search: URLSearchParams): GroupView => oneOf(GROUP_VIEWS, search.get("groups")) ?? "table";

const ATTRIBUTION = /^(entry|first_known|last_known|each|step:([1-9]|1\d|20))$/;

export interface Grouping {
  property: string;
  attribution: string;
}

/** What the answer is grouped by: the address first, then what the funnel was saved with. */
export function readGrouping(search: URLSearchParams, saved: { property: string; attribution?: string } | null | undefined): Grouping | null {
  const property = search.get("by") ?? saved?.property ?? "";
  if (property === "") return null;
  const asked = search.get("attribution") ?? (property === saved?.property ? saved.attribution : null) ?? "entry";
  return { property, attribution: ATTRIBUTION.test(asked) ? asked : "entry" };
}
