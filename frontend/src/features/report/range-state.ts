/**
 * The date range and what it is compared with, as the address says them: `?range=7d`, `?from=2026-10-01&to=2026-10-31`,
 * nothing for 30 days; `?compare=previous`, `?compare=year`, `?cfrom=…&cto=…`.
 */
import { addDays, addYears, daysIn, isDay, lastDays, previousRange, type Day, type DayRange } from "@/lib/dates";

export const PRESET_DAYS = { today: 1, "7d": 7, "30d": 30, "90d": 90, "12m": 365 } as const;
export type Preset = keyof typeof PRESET_DAYS | "yesterday" | "all";
export const PRESETS: readonly Preset[] = ["today", "yesterday", "7d", "30d", "90d", "12m", "all"];

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
  return lastDays(PRESET_DAYS[choice.preset], today);
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

/** The days to compare with; null when there is nothing to compare: all data has no period before it. */
export function comparedDays(choice: CompareChoice, range: DayRange | null): DayRange | null {
  if (choice.with === "custom") return choice.range;
  if (choice.with === "none" || range === null) return null;
  if (choice.with === "year") return { start: addYears(range.start, -1), end: addYears(range.end, -1) };
  return previousRange(range);
}

function readDays(search: URLSearchParams, from: string, to: string): DayRange | null {
  const start = search.get(from) ?? "";
  const end = search.get(to) ?? "";
  return isDay(start) && isDay(end) && start <= end ? { start, end } : null;
}
