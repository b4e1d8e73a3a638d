/**
 * The date range and what it is compared with, as the address says them: `?range=7d`, `?from=2026-10-01&to=2026-10-31`,
 * nothing for 30 days; `?compare=previous`, `?compare=year`, `?cfrom=…&cto=…`.
 */
import { addDays, addYears, daysIn, isDay, lastDays, monthBefore, monthStart, previousRange, weekStart, type Day, type DayRange } from "@/lib/dates";

export const PRESET_DAYS = { today: 1, "7d": 7, "30d": 30, "90d": 90, "12m": 365 } as const;
const CALENDAR = ["week", "last_week", "month", "last_month"] as const;
type Calendar = (typeof CALENDAR)[number];
export type Preset = keyof typeof PRESET_DAYS | Calendar | "yesterday" | "all";
export const PRESETS: readonly Preset[] = ["today", "yesterday", "week", "last_week", "month", "last_month", "7d", "30d", "90d", "12m", "all"];

export type RangeChoice = { preset: Preset } | { preset: "custom"; range: DayRange };
export type CompareChoice = { with: "none" | "previous" | "year" } | { with: "custom"; range: DayRange };

const DAY_SECONDS = 86_400;
const ENOUGH_WINDOWS = 3;
const DEFAULT: RangeChoice = { preset: "30d" };

export function readRange(search: URLSearchParams): RangeChoice {
  const range = readDays(search, "from", "to");
  if (range) return { preset: "custom", range };
  const preset = search.get("range") ?? "";
  return (PRESETS as readonly string[]).includes(preset) ? { preset: preset as Preset } : DEFAULT;
}

export function writeRange(search: URLSearchParams, choice: RangeChoice): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const name of ["range", "from", "to"]) next.delete(name);
  if (choice.preset === "custom") {
    next.set("from", choice.range.start);
    next.set("to", choice.range.end);
  } else if (choice.preset !== DEFAULT.preset) {
    next.set("range", choice.preset);
  }
  return next;
}

/** The days asked for; null asks for all data. */
export function daysOf(choice: RangeChoice, today: Day): DayRange | null {
  if (choice.preset === "custom") return choice.range;
  if (choice.preset === "all") return null;
  if (choice.preset === "yesterday") return { start: addDays(today, -1), end: addDays(today, -1) };
  return isCalendar(choice.preset) ? calendarDays(choice.preset, today) : lastDays(PRESET_DAYS[choice.preset], today);
}

const isCalendar = (preset: string): preset is Calendar => (CALENDAR as readonly string[]).includes(preset);

/** Weeks begin on Monday. One that is not over ends today. */
function calendarDays(preset: Calendar, today: Day): DayRange {
  const [week, month] = [weekStart(today), monthStart(today)];
  if (preset === "week") return { start: week, end: today };
  if (preset === "month") return { start: month, end: today };
  if (preset === "last_week") return { start: addDays(week, -7), end: addDays(week, -1) };
  return { start: monthBefore(month), end: addDays(month, -1) };
}

/** The same part of the week or month before, so that three days of a week have three days beside them, and the same weekdays. */
function calendarBefore(preset: Calendar, { start, end }: DayRange): DayRange {
  if (preset === "week" || preset === "last_week") return { start: addDays(start, -7), end: addDays(end, -7) };
  // Of a whole month the whole one before, whose last day may be a later one.
  return { start: monthBefore(start), end: preset === "last_month" ? addDays(start, -1) : monthBefore(end) };
}

/** A range in which most of those who entered have had their time; null when this one has room for it. */
export function longerPreset(range: DayRange | null, windowSeconds: number | null): Preset | null {
  if (range === null || windowSeconds === null || daysIn(range) * DAY_SECONDS > windowSeconds) return null;
  const wanted = (ENOUGH_WINDOWS * windowSeconds) / DAY_SECONDS;
  return PRESETS.find((preset) => preset in PRESET_DAYS && PRESET_DAYS[preset as keyof typeof PRESET_DAYS] >= wanted) ?? "all";
}

export function isLive(range: DayRange | null, today: Day): boolean {
  return range === null || range.end >= today;
}

/** `unsaid` is what a page compares with when the address does not say. */
export function readCompare(search: URLSearchParams, unsaid: "none" | "previous" = "none"): CompareChoice {
  const range = readDays(search, "cfrom", "cto");
  if (range) return { with: "custom", range };
  const said = search.get("compare");
  return said === "none" || said === "previous" || said === "year" ? { with: said } : { with: unsaid };
}

export function writeCompare(search: URLSearchParams, choice: CompareChoice, unsaid: "none" | "previous" = "none"): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const name of ["compare", "cfrom", "cto"]) next.delete(name);
  if (choice.with === "custom") {
    next.set("cfrom", choice.range.start);
    next.set("cto", choice.range.end);
  } else if (choice.with !== unsaid) {
    next.set("compare", choice.with);
  }
  return next;
}

/** The days before those of a preset. Of any others as many as they are. */
export const daysBefore = (range: DayRange, preset: string): DayRange => (isCalendar(preset) ? calendarBefore(preset, range) : previousRange(range));

/** The days to compare with; null when there is nothing to compare: all data has no period before it. `preset` is what the range was chosen by. */
export function comparedDays(choice: CompareChoice, range: DayRange | null, preset: RangeChoice["preset"]): DayRange | null {
  if (choice.with === "custom") return choice.range;
  if (choice.with === "none" || range === null) return null;
  if (choice.with === "year") return { start: addYears(range.start, -1), end: addYears(range.end, -1) };
  return daysBefore(range, preset);
}

function readDays(search: URLSearchParams, from: string, to: string): DayRange | null {
  const start = search.get(from) ?? "";
  const end = search.get(to) ?? "";
  return isDay(start) && isDay(end) && start <= end ? { start, end } : null;
}
