/** The question of the trends page as its address says it: `?q=` holds series, formulas and groups as compact JSON. */
import type { Condition } from "@/api/types";
import { isCondition, propertyLabel } from "@/features/report/conditions";
import { eventOrPage } from "@/features/report/event-choice";
import { intervalFor, isInterval, type Interval } from "@/features/report/places";
import type { FrameQuestion } from "@/features/report/use-report-frame";
import type { DayRange } from "@/lib/dates";
import type { TrendsQuestion } from "./queries";
import { words } from "./words";

export type Measure = keyof typeof words.measures;
export type ChartKind = keyof typeof words.kinds;
export const MEASURES = Object.keys(words.measures) as Measure[];
export const KINDS = Object.keys(words.kinds) as ChartKind[];
const NUMERIC = new Set<string>(["sum", "avg", "min", "max", "median", "p90", "p95", "p99"]);
export const takesNumbers = (measure: string): boolean => NUMERIC.has(measure);

export const SERIES_MAX = 20;
export const FORMULAS_MAX = 10;
const GROUPS_MAX = 100;
const GROUPS_DEFAULT = 8;
const NAME_MAX = 200;

export interface SeriesChoice {
  /** A name, `*` for any event, or a path of pages that begins with a slash. */
  event: string;
  measure: Measure;
  property: string;
  name: string;
  filters: Condition[];
}

export interface FormulaChoice {
  expression: string;
  name: string;
}

export interface TrendsChoice {
  series: SeriesChoice[];
  formulas: FormulaChoice[];
  groups: { property: string; limit: number } | null;
  /** Null: the one that suits the range. */
  interval: Interval | null;
  kind: ChartKind;
}

export const newSeries = (): SeriesChoice => ({ event: "", measure: "events", property: "", name: "", filters: [] });
const FIRST: SeriesChoice = { ...newSeries(), event: "*", measure: "people" };
export const EMPTY: TrendsChoice = { series: [FIRST], formulas: [], groups: null, interval: null, kind: "line" };

export const letterOf = (index: number): string => String.fromCharCode(65 + index);

/** What people read where a series has no name of its own. */
export function seriesTitle(one: SeriesChoice): string {
  if (one.name) return one.name;
  const event = one.event === "*" ? words.anyEvent : one.event;
  return `${event} · ${measureText(one)}`;
}

export function measureText(one: Pick<SeriesChoice, "measure" | "property">): string {
  return takesNumbers(one.measure) ? words.of(words.measures[one.measure], propertyLabel(one.property)) : words.measures[one.measure];
}

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, NAME_MAX) : "");

function seriesFrom(value: unknown): SeriesChoice[] {
  const { e, m, p, n, f } = record(value);
  if (text(e) === "") return [];
  const measure = MEASURES.find((one) => one === m) ?? "events";
  return [{ event: text(e), measure, property: text(p), name: text(n), filters: list(f).filter(isCondition) }];
}

function formulaFrom(value: unknown): FormulaChoice[] {
  const { x, n } = record(value);
  return text(x) === "" ? [] : [{ expression: text(x), name: text(n) }];
}

/** Anything of the address that is no part of a question is left out. */
export function readTrends(search: URLSearchParams): TrendsChoice {
  const said = search.get("q");
  if (said === null) return EMPTY;
  let read: unknown;
  try {
    read = JSON.parse(said);
  } catch {
    return EMPTY;
  }
  const { s, x, b, i, k } = record(read);
  const [property, limit] = list(b);
  return {
    series: list(s).flatMap(seriesFrom).slice(0, SERIES_MAX),
    formulas: list(x).flatMap(formulaFrom).slice(0, FORMULAS_MAX),
    groups: text(property) === "" ? null : { property: text(property), limit: boundedLimit(limit) },
    interval: isInterval(i) ? i : null,
    kind: KINDS.find((one) => one === k) ?? "line",
  };
}

export function boundedLimit(limit: unknown): number {
  const amount = Math.round(Number(limit));
  return Number.isFinite(amount) && amount >= 1 ? Math.min(GROUPS_MAX, amount) : GROUPS_DEFAULT;
}

export function writeTrends(search: URLSearchParams, choice: TrendsChoice): URLSearchParams {
  const next = new URLSearchParams(search);
  const compact = {
    s: choice.series.map((one) => ({
      e: one.event,
      ...(one.measure !== "events" && { m: one.measure }),
      ...(takesNumbers(one.measure) && one.property && { p: one.property }),
      ...(one.name && { n: one.name }),
      ...(one.filters.length > 0 && { f: one.filters }),
    })),
    ...(choice.formulas.length > 0 && { x: choice.formulas.map((one) => ({ x: one.expression, ...(one.name && { n: one.name }) })) }),
    ...(choice.groups && { b: [choice.groups.property, choice.groups.limit] }),
    ...(choice.interval && { i: choice.interval }),
    ...(choice.kind !== "line" && { k: choice.kind }),
  };
  const written = JSON.stringify(compact);
  if (written === JSON.stringify({ s: [{ e: FIRST.event, m: FIRST.measure }] })) next.delete("q");
  else next.set("q", written);
  return next;
}

/** Null while nothing can be asked. */
export function questionOf(choice: TrendsChoice, frame: FrameQuestion, range: DayRange | null): TrendsQuestion | null {
  if (choice.series.length === 0) return null;
  return {
    ...frame,
    series: choice.series.map((one) => ({
      name: seriesTitle(one),
      ...eventOrPage(one.event),
      measure: one.measure,
      filters: one.filters,
      ...(takesNumbers(one.measure) && { property: one.property }),
    })),
    formulas: choice.formulas.map((one) => ({ expression: one.expression, ...(one.name && { name: one.name }) })),
    interval: choice.interval ?? intervalFor(range),
    ...(choice.groups && { breakdown: choice.groups }),
  };
}

/** Whether the letters of a formula are series and nothing else is in it; the service knows the rest. */
export function isFormula(expression: string, series: number): boolean {
  const last = letterOf(Math.max(0, series - 1));
  return /^[A-Z0-9+\-*/().\s]+$/.test(expression) && [...expression].every((one) => !/[A-Z]/.test(one) || one <= last);
}

/** Removing a series moves the letters of those after it; formulas that name it cannot stay. */
export function withoutSeries(choice: TrendsChoice, index: number): TrendsChoice {
  const gone = letterOf(index);
  const moved = (expression: string): string => expression.replace(/[A-Z]/g, (one) => (one > gone ? String.fromCharCode(one.charCodeAt(0) - 1) : one));
  const formulas = choice.formulas.filter((one) => !one.expression.includes(gone)).map((one) => ({ ...one, expression: moved(one.expression) }));
  return { ...choice, series: choice.series.filter((_one, at) => at !== index), formulas };
}
