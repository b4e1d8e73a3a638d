/** A funnel over time as places and series of a chart. */
import type { FunnelTrend } from "@/api/types";
import { INTERVALS, intervalFor, placeOf, type Interval } from "@/features/report/places";
import { daysIn, type DayRange } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";
import type { DateNote, Place, Series } from "@/ui/chart/series";
import { share, type StageRow } from "./funnel-math";
import { w } from "./words";

type Bucket = FunnelTrend["buckets"][number];

/** Of the scale: apart from the line above it that says how high the conversion can still get. */
const GREY = 7;
const BUCKETS_MAX = 1_000;
const DAYS = { hour: 1 / 24, day: 1, week: 7, month: 30 } as const;

/** The intervals that give more than one bucket and not more than the service counts. */
export function possibleIntervals(range: DayRange | null): Interval[] {
  if (!range) return ["week", "month"];
  const days = daysIn(range);
  return INTERVALS.filter((one) => days / DAYS[one] <= BUCKETS_MAX && (days > DAYS[one] || one === intervalFor(range)));
}

/** Not over yet is a bucket in which people entered who still have time. */
export const placesOf = (trend: FunnelTrend): Place[] => trend.buckets.map((bucket) => placeOf(bucket.bucket, trend.interval, bucket.open > 0));

/** Where nobody entered there is no rate, not one of zero. */
const rateOf = (bucket: Bucket): number | null => (bucket.users[0] ? bucket.overall_conversion_rate : null);

/** The conversion, and how far up it can still go where people are open. */
export function rateSeries(trend: FunnelTrend, hasHighest: boolean, before: TrendBefore | null = null): Series[] {
  const highest = trend.buckets.map((bucket) => {
    const [first, last] = [bucket.users[0] ?? 0, bucket.users_max.at(-1) ?? 0];
    return bucket.open > 0 && first > 0 ? Math.min(100, share(last, first)) : null;
  });
  return [
    { key: "rate", name: w.trend.rate, values: trend.buckets.map(rateOf), color: 0 },
    ...(hasHighest && highest.some((one) => one !== null) ? [{ key: "highest", name: w.trend.highest, values: highest, color: 0, isBefore: true }] : []),
    ...(before ? [{ key: "before", name: beforeName(before), values: valuesBefore(trend, before, rateOf), color: GREY, isBefore: true }] : []),
  ];
}

export function countSeries(trend: FunnelTrend, rows: readonly StageRow[], before: TrendBefore | null = null): Series[] {
  return rows.flatMap((row, index) => {
    const line = { key: String(row.order), name: `${row.order}. ${row.stage_name}`, color: index };
    const countOf = (bucket: Bucket): number => bucket.users[index] ?? 0;
    const now: Series = { ...line, values: trend.buckets.map(countOf) };
    if (!before) return [now];
    return [now, { ...line, key: `${line.key} before`, name: w.trend.countBefore(line.name), values: valuesBefore(trend, before, countOf), isBefore: true }];
  });
}

export interface TrendBefore {
  trend: FunnelTrend;
  days: { start: string | null; end: string | null };
}

const beforeName = ({ days: { start, end } }: TrendBefore): string => (start && end ? dayRange({ start, end }) : t.report.linesBefore);

/** First beside first: a shorter period ends early, and of a longer one the rest is not drawn. */
const valuesBefore = (trend: FunnelTrend, before: TrendBefore, valueOf: (bucket: Bucket) => number | null): (number | null)[] =>
  trend.buckets.map((_bucket, at) => {
    const then = before.trend.buckets[at];
    return then ? valueOf(then) : null;
  });

/** Notes on days, at the bucket that holds the day. */
export function notesAt(trend: FunnelTrend, notes: readonly { day: string; text: string }[]): DateNote[] {
  return notes.flatMap((note) => {
    const at = trend.buckets.findLastIndex((bucket) => bucket.bucket.slice(0, 10) <= note.day);
    const last = trend.buckets.at(-1);
    const isPast = last !== undefined && note.day > last.bucket.slice(0, 10) && Date.parse(note.day) >= Date.parse(last.to);
    return at < 0 || isPast ? [] : [{ at, text: note.text }];
  });
}
