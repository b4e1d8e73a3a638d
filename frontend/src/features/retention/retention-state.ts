/** The question of the retention page as its address says it. */
import type { Condition } from "@/api/types";
import { matcherOf, type EventChoice } from "@/features/report/event-choice";
import { readConditions } from "@/features/report/conditions";
import type { Groups } from "@/features/report/group-picker";
import type { FrameQuestion } from "@/features/report/use-report-frame";
import type { RetentionQuestion } from "./queries";
import { words } from "./words";

export const INTERVALS = ["day", "week", "month"] as const;
export type Interval = (typeof INTERVALS)[number];
export const PERIODS_DEFAULT: Record<Interval, number> = { day: 14, week: 12, month: 12 };
const PERIODS_MAX = 60;

export interface RetentionChoice {
  start: EventChoice;
  back: EventChoice;
  interval: Interval;
  periods: number;
  isFirstEver: boolean;
  isRolling: boolean;
  isOnOrAfter: boolean;
  groups: Groups | null;
  show: "percent" | "count";
  view: "map" | "curve";
  /** The group whose heat map is shown; "" is everybody. */
  group: string;
}

export function readRetention(search: URLSearchParams): RetentionChoice {
  const interval = INTERVALS.find((one) => one === search.get("every")) ?? "day";
  const periods = Math.round(Number(search.get("periods") ?? Number.NaN));
  const by = search.get("by") ?? "";
  const limit = Math.round(Number(search.get("groups") ?? Number.NaN));
  const view = search.get("view");
  return {
    start: { event: search.get("start") ?? "", filters: readConditions(search, "sf") },
    back: { event: search.get("return") ?? "", filters: readConditions(search, "rf") },
    interval,
    periods: periods >= 1 && periods <= PERIODS_MAX ? periods : PERIODS_DEFAULT[interval],
    isFirstEver: search.get("kind") === "first_ever",
    isRolling: search.get("mode") === "rolling",
    isOnOrAfter: search.get("after") === "yes",
    groups: by === "" ? null : { property: by, limit: limit >= 1 && limit <= 100 ? limit : 5 },
    show: search.get("show") === "count" ? "count" : "percent",
    view: view === "map" || view === "curve" ? view : by === "" ? "map" : "curve",
    group: search.get("group") ?? "",
  };
}

export function writeRetention(search: URLSearchParams, choice: RetentionChoice): URLSearchParams {
  const next = new URLSearchParams(search);
  const put = (name: string, value: string | null): void => (value === null ? next.delete(name) : next.set(name, value));
  const filters = (conditions: readonly Condition[]): string | null => (conditions.length > 0 ? JSON.stringify(conditions) : null);
  put("start", choice.start.event || null);
  put("sf", filters(choice.start.filters));
  put("return", choice.back.event || null);
  put("rf", filters(choice.back.filters));
  put("every", choice.interval === "day" ? null : choice.interval);
  put("periods", choice.periods === PERIODS_DEFAULT[choice.interval] ? null : String(choice.periods));
  put("kind", choice.isFirstEver ? "first_ever" : null);
  put("mode", choice.isRolling ? "rolling" : null);
  put("after", choice.isOnOrAfter ? "yes" : null);
  put("by", choice.groups?.property ?? null);
  put("groups", choice.groups && choice.groups.limit !== 5 ? String(choice.groups.limit) : null);
  put("show", choice.show === "count" ? "count" : null);
  put("view", choice.view === (choice.groups ? "curve" : "map") ? null : choice.view);
  put("group", choice.group || null);
  return next;
}

export function questionOf(choice: RetentionChoice, frame: FrameQuestion): RetentionQuestion {
  const isAnyBack = choice.back.event === "" && choice.back.filters.length === 0;
  return {
    ...frame,
    start: matcherOf(choice.start),
    ...(!isAnyBack && { return: matcherOf(choice.back) }),
    interval: choice.interval,
    periods: choice.periods,
    kind: choice.isFirstEver ? "first_ever" : "first_in_range",
    mode: choice.isRolling ? "rolling" : "calendar",
    on_or_after: choice.isOnOrAfter,
    ...(choice.groups && { breakdown: choice.groups }),
  };
}

export const eventTitle = (one: EventChoice): string => one.event || words.sentence.anyBack;
