/** One figure over time as lines of a chart: of the range, and of the days it is compared with. */
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";
import type { Series } from "@/ui/chart/series";

interface Compared<Bucket> {
  date_range: { start: string | null; end: string | null };
  buckets: readonly Bucket[];
}

interface Answer<Bucket> {
  buckets: readonly Bucket[];
  compare?: Compared<Bucket> | null;
}

export function figureSeries<Bucket>(answer: Answer<Bucket>, name: string, valueOf: (bucket: Bucket) => number | null): Series[] {
  const now: Series = { key: "now", name, values: answer.buckets.map(valueOf), color: 0 };
  if (!answer.compare) return [now];
  const { buckets, date_range } = answer.compare;
  const { start, end } = date_range;
  const values = answer.buckets.map((_bucket, at) => (buckets[at] ? valueOf(buckets[at]) : null));
  return [now, { key: "before", name: start && end ? dayRange({ start, end }) : t.report.linesBefore, values, color: 0, isBefore: true }];
}
