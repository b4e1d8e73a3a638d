/** The date range as the address says it: `?range=7d`, `?from=2026-10-01&to=2026-10-31`, nothing for 30 days. */
import { isDay, lastDays, type Day, type DayRange } from "@/lib/dates";

export const PRESET_DAYS = { "7d": 7, "30d": 30, "90d": 90 } as const;
export type Preset = keyof typeof PRESET_DAYS | "all";

export type RangeChoice = { preset: Preset } | { preset: "custom"; range: DayRange };

const DEFAULT: RangeChoice = { preset: "30d" };

export function readRange(search: URLSearchParams): RangeChoice {
  const start = search.get("from") ?? "";
  const end = search.get("to") ?? "";
  if (isDay(start) && isDay(end) && start <= end) return { preset: "custom", range: { start, end } };
  const preset = search.get("range") ?? "";
  return preset === "all" || Object.hasOwn(PRESET_DAYS, preset) ? { preset: preset as Preset } : DEFAULT;
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
  return choice.preset === "all" ? null : lastDays(PRESET_DAYS[choice.preset], today);
}

export function isLive(range: DayRange | null, today: Day): boolean {
  return range === null || range.end >= today;
}

/** The selected stage, when the funnel has it. */
export function readStage(search: URLSearchParams, total: number): number | null {
  const order = Number(search.get("stage"));
  return Number.isInteger(order) && order >= 1 && order <= total ? order : null;
}

export function writeStage(search: URLSearchParams, order: number | null): URLSearchParams {
  const next = new URLSearchParams(search);
  if (order === null) next.delete("stage");
  else next.set("stage", String(order));
  return next;
}
