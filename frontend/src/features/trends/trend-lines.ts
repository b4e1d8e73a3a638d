/** Lines of the chart and rows of the table out of a trends answer. */
import { metricDelta } from "@/features/report/deltas";
import { groupName } from "@/features/report/group-name";
import { count } from "@/lib/format";
import type { Series } from "@/ui/chart/series";
import type { MetricDelta } from "@/ui/metric";
import type { TrendsAnswer, TrendsNumbers, TrendsTotal } from "./queries";
import { measureText, takesNumbers, type Measure } from "./trend-state";
import { words } from "./words";

/** One line: a series or formula, or one group of it. */
export interface TrendLine {
  key: string;
  name: string;
  unit: string;
  /** All groups of one series, when they add up to it. */
  stack: string | null;
  total: TrendsTotal;
  values: (number | null)[];
}

const ADDITIVE = new Set<string>(["events", "sum"]);

/** Series first, then formulas; with a breakdown their groups, largest first. */
export function linesOf(answer: TrendsNumbers): TrendLine[] {
  const hasMany = answer.series.length + answer.formulas.length > 1;
  const series = answer.series.flatMap((one, index) =>
    linesOfOne(`s${index}`, one.name, measureText({ measure: one.measure as Measure, property: one.property ?? "" }), one, hasMany, ADDITIVE.has(one.measure)),
  );
  const formulas = answer.formulas.flatMap((one, index) => linesOfOne(`f${index}`, one.name, words.formulaUnit, one, hasMany, false));
  return [...series, ...formulas];
}

type Line = Pick<TrendsAnswer["series"][number], "total" | "buckets" | "groups">;

function linesOfOne(key: string, name: string, unit: string, line: Line, hasMany: boolean, isAdditive: boolean): TrendLine[] {
  const one = (at: string, title: string, from: Pick<Line, "total" | "buckets">, stack: string | null): TrendLine => ({
    key: at,
    name: title,
    unit,
    stack,
    total: from.total,
    values: from.buckets.map((bucket) => bucket.value),
  });
  if (!line.groups) return [one(key, name, line, null)];
  return line.groups.map((group) => {
    const value = groupName({ group: group.group, value: group.group_value ?? null });
    return one(`${key} ${group.group} ${group.group_value ?? ""}`, hasMany ? `${value} · ${name}` : value, group, isAdditive ? key : null);
  });
}

export const LINES_MAX = 12;

/** At most so many lines are drawn; those of the days before lie behind the lines they belong to. */
export function drawnSeries(lines: readonly TrendLine[], before: readonly TrendLine[], kind: "line" | "bar"): Series[] {
  const units = new Set(lines.map((line) => line.unit));
  return lines.slice(0, LINES_MAX).flatMap((line, color) => {
    const format = units.size > 1 && line.unit !== words.formulaUnit ? (value: number) => `${count(value)} ${line.unit}` : count;
    const stack = kind === "bar" && line.stack !== null ? { stack: line.stack } : {};
    const now: Series = { key: line.key, name: line.name, values: line.values, color, format, ...stack };
    const past = before.find((one) => one.key === line.key);
    if (!past) return [now];
    const values = line.values.map((_value, at) => past.values[at] ?? null);
    return [now, { key: `${line.key} before`, name: words.before(line.name), values, color, format, isBefore: true, ...(stack.stack && { stack: `${stack.stack} before` }) }];
  });
}

export interface TrendRow extends TrendLine {
  /** The values of the buckets that are over. */
  course: (number | null)[];
  before: number | null;
  delta: MetricDelta | null;
  badges: string[];
}

export function rowsOf(answer: TrendsAnswer): TrendRow[] {
  const past = answer.compare ? linesOf(answer.compare) : [];
  const open = answer.buckets.findIndex((bucket) => bucket.is_incomplete);
  return linesOf(answer).map((line) => {
    const before = past.find((one) => one.key === line.key)?.total.value ?? null;
    return { ...line, course: open === -1 ? line.values : line.values.slice(0, open), before, delta: metricDelta(line.total.value, before, { text: count, better: null }), badges: badgesOf(line.total) };
  });
}

function badgesOf(total: TrendsTotal): string[] {
  const { badge } = words;
  return [
    typeof total.events_scaled === "number" ? badge.sampled : null,
    total.source === "rollup" || total.source === "both" ? badge.rollup : null,
    total.source === "removed" ? badge.removed : null,
    total.is_exact ? null : badge.inexact,
  ].filter((one): one is NonNullable<typeof one> => one !== null);
}

/** Whether events of a series are a sample. */
export const isSampled = (answer: Pick<TrendsAnswer, "series">): boolean => answer.series.some((one) => typeof one.total.events_scaled === "number");

/** What a reader must know of the numbers, in sentences; nothing for exact ones. */
export function marksOf(answer: TrendsAnswer, when: (iso: string) => string): string[] {
  const marks = words.marks;
  const series = answer.series;
  const sampled = series.find((one) => typeof one.total.events_scaled === "number");
  const sources = new Set(series.flatMap((one) => [one.total.source, ...one.buckets.map((bucket) => bucket.source)]));
  const isCut = sources.has("rollup") || sources.has("both") || sources.has("removed");
  return [
    sampled ? marks.sampled(count(sampled.total.events_scaled ?? 0)) : null,
    sources.has("rollup") || sources.has("both") ? marks.rollup : null,
    sources.has("removed") ? marks.removed : null,
    isCut && answer.data_from ? marks.from(when(answer.data_from)) : null,
    series.some((one) => !one.total.is_exact) ? marks.inexact : null,
    ...series.map((one) => (takesNumbers(one.measure) && one.total.skipped ? marks.skipped(count(one.total.skipped), one.name) : null)),
  ].filter((one): one is string => one !== null);
}
