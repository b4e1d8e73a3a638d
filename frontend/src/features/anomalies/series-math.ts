/** What the charts of anomalies draw. */
import type { JudgedSeries } from "@/api/types";
import { day, shortDay } from "@/lib/format";
import type { DateNote, Place, Series } from "@/ui/chart/series";
import { words } from "./words";

export const typeName = (eventType: string): string => (eventType === "*" ? words.all : eventType);

const round = (expected: number | null | undefined): number | null => (expected === null || expected === undefined ? null : Math.round(expected * 10) / 10);

type Bucket = JudgedSeries["buckets"][number];
const bandOf = ({ low, high }: Bucket): [number, number] | null => (typeof low === "number" && typeof high === "number" ? [low, high] : null);

interface Told {
  bucket: string;
  text: string;
}

/** What was found stands first; the rest as the service has it, the most frequent first. */
export function ordered(all: readonly JudgedSeries[], findings: readonly { event_type: string }[]): JudgedSeries[] {
  const found = new Set(findings.map((one) => one.event_type));
  return all.toSorted((one, two) => Number(found.has(two.event_type)) - Number(found.has(one.event_type)));
}

/** A day without any data is a gap: nothing is known of it, least of all that nothing happened. */
export function chartOf(series: JudgedSeries, findings: readonly (Told & { event_type: string })[], daysWithoutData: readonly Told[]) {
  const unknown = new Set(daysWithoutData.map((one) => one.bucket));
  const places: Place[] = series.buckets.map((one) => ({ label: shortDay(one.bucket), title: day(one.bucket), isIncomplete: one.is_incomplete }));
  const lines: Series[] = [
    { key: "value", name: words.value, values: series.buckets.map((one) => (unknown.has(one.bucket) ? null : one.value)), color: 0 },
    { key: "expected", name: words.expected, values: series.buckets.map((one) => round(one.expected)), color: 0, isBefore: true, band: series.buckets.map(bandOf) },
  ];
  const notes: DateNote[] = [...findings.filter((one) => one.event_type === series.event_type), ...daysWithoutData]
    .map((one) => ({ at: series.buckets.findIndex((bucket) => bucket.bucket === one.bucket), text: one.text }))
    .filter((note) => note.at >= 0);
  return { places, lines, notes };
}
