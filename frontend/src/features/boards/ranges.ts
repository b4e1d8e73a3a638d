/** Days as boards, cards and links keep them, as the address says them and as questions take them. */
import type { ViewKind, ViewRange } from "@/api/saved-types";
import { daysBefore, daysOf, PRESETS, readRange, writeRange, type Preset, type RangeChoice } from "@/features/report/range-state";
import type { Day } from "@/lib/dates";

export interface AskedDays {
  start?: Day;
  end?: Day;
}

type Question = Record<string, unknown>;

const dateNames = (kind: ViewKind): [string, string] => (kind === "events" ? ["start", "end"] : ["start_date", "end_date"]);
const isPreset = (text: unknown): text is Preset => (PRESETS as readonly unknown[]).includes(text);

export function askedDays(range: ViewRange | null | undefined, today: Day): AskedDays {
  if (!range) return {};
  if (isPreset(range.preset)) return daysOf({ preset: range.preset }, today) ?? {};
  return { ...(range.start_date && { start: range.start_date }), ...(range.end_date && { end: range.end_date }) };
}

/** What a range picker shows; null is all data. A side that is open ends today, or is as long as the known one. */
export function choiceOfRange(range: ViewRange | null | undefined, today: Day): RangeChoice {
  if (!range) return { preset: "all" };
  if (isPreset(range.preset)) return { preset: range.preset };
  const start = range.start_date ?? range.end_date ?? today;
  return { preset: "custom", range: { start, end: range.end_date ?? (start > today ? start : today) } };
}

export const rangeOfChoice = (choice: RangeChoice): ViewRange =>
  choice.preset === "custom" ? { start_date: choice.range.start, end_date: choice.range.end } : { preset: choice.preset };

/** The days of a board's address; null when it says none. */
export const saidRange = (search: URLSearchParams): RangeChoice | null => (search.has("range") || search.has("from") ? readRange(search) : null);

/** Days in an address that has a default of its own: all are written out. */
export function sayRange(search: URLSearchParams, choice: RangeChoice): URLSearchParams {
  const next = writeRange(search, choice);
  if (choice.preset !== "custom") next.set("range", choice.preset);
  return next;
}

/** The question for the chosen range; without one, for its own dates. The same rule as the service's. */
export function dated(kind: ViewKind, question: Question, range: ViewRange | null | undefined, today: Day): Question {
  if (!range || kind === "note") return question;
  const names = dateNames(kind);
  const days = askedDays(range, today);
  const others = Object.fromEntries(Object.entries(question).filter(([name]) => !names.includes(name)));
  return { ...others, ...(days.start && { [names[0]]: days.start }), ...(days.end && { [names[1]]: days.end }), ...comparedWith(others, range, days) };
}

/** Of a week or month that is not over the same part of the one before; the service finds any other period before itself. */
function comparedWith(question: Question, { preset }: ViewRange, { start, end }: AskedDays): Question {
  const isCompared = [question.include].flat().includes("compare") && !question.compare_start && !question.compare_end;
  if (!isCompared || !isPreset(preset) || !start || !end) return {};
  const before = daysBefore({ start, end }, preset);
  return { compare_start: before.start, compare_end: before.end };
}

export function hasDates(kind: ViewKind, question: Question): boolean {
  return dateNames(kind).some((name) => question[name] !== undefined && question[name] !== null);
}

/** The question without its days: what a saved view keeps when its range moves on with time. */
export function undated(kind: ViewKind, question: Question): Question {
  const names = dateNames(kind);
  return Object.fromEntries(Object.entries(question).filter(([name]) => !names.includes(name)));
}

/** The comparison of a saved question moves with its days, or has nothing to compare. */
export function withoutOwnPeriods(question: Question): Question {
  return Object.fromEntries(Object.entries(question).filter(([name]) => name !== "compare_start" && name !== "compare_end"));
}
