import type { FunnelTrend } from "@/api/types";
import type { Interval } from "@/features/report/places";
import { compactCount, percent } from "@/lib/format";
import { TimeChart } from "@/ui/chart/time-chart";
import { Segmented } from "@/ui/segmented";
import { useState } from "react";
import type { StageRow } from "./funnel-math";
import { countSeries, notesAt, placesOf, rateSeries, type TrendBefore } from "./trend-math";
import { w } from "./words";

const MEASURES = [
  { value: "rate", label: w.trend.rate },
  { value: "counts", label: w.trend.counts },
] as const;

interface Props {
  name: string;
  trend: FunnelTrend;
  /** The same of the days compared with. */
  before?: TrendBefore | null;
  rows: readonly StageRow[];
  intervals: readonly Interval[];
  notes?: readonly { day: string; text: string }[];
  onInterval: (interval: Interval) => void;
}

/** The funnel by the time of entry; buckets in which people are open go on dashed. */
export function TrendTab({ name, trend, before = null, rows, intervals, notes = [], onInterval }: Props) {
  const [measure, setMeasure] = useState<"rate" | "counts">("rate");
  const [hasHighest, setHighest] = useState(false);
  const isOpen = trend.buckets.some((bucket) => bucket.open > 0);
  return (
    <div className="px-5 py-4">
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segmented label={w.trend.measure} value={measure} options={MEASURES} onChange={setMeasure} />
        {intervals.length > 1 && (
          <Segmented
            label={w.trend.interval}
            value={trend.interval}
            options={intervals.map((one) => ({ value: one, label: w.trend.intervals[one] }))}
            onChange={onInterval}
          />
        )}
        {isOpen && measure === "rate" && (
          <label className="inline-flex items-center gap-2 text-sm text-ink-soft">
            <input type="checkbox" className="size-4 accent-(--accent)" checked={hasHighest} onChange={(event) => setHighest(event.target.checked)} />
            {w.trend.showHighest}
          </label>
        )}
      </div>
      <TimeChart
        label={w.trend.chart(name)}
        places={placesOf(trend)}
        series={measure === "rate" ? rateSeries(trend, hasHighest, before) : countSeries(trend, rows, before)}
        format={measure === "rate" ? percent : compactCount}
        axisFormat={measure === "rate" ? percent : compactCount}
        notes={notesAt(trend, notes)}
        height={260}
      />
      <p className="mt-2 max-w-[90ch] text-sm text-ink-faint">
        {!trend.adds_up && w.trend.overlap} {isOpen && w.trend.open}
      </p>
    </div>
  );
}
