import type { ComparedPeriod, FunnelAnswer, FunnelTrend, Significance } from "@/api/types";
import { metricDelta } from "@/features/report/deltas";
import { compactCount, count, duration, exactPercent, percent } from "@/lib/format";
import { t } from "@/lib/strings";
import { Sparkline } from "@/ui/chart/sparkline";
import { Metric } from "@/ui/metric";
import { Skeleton } from "@/ui/skeleton";
import type { ReactNode } from "react";
import { clearestStep, conversionDelta } from "./compare-math";
import { biggestDrop, highestConversion, type StageRow } from "./funnel-math";
import { SureMark } from "./sure-mark";
import { w } from "./words";

interface Props {
  answer: FunnelAnswer;
  rows: readonly StageRow[];
  /** The days compared with; null when nothing is compared. */
  before: ComparedPeriod | null;
  /** From the first stage to the last; null until it is known. */
  total: { median_s: number | null; p90_s: number | null; count: number } | null;
  trend: FunnelTrend | null;
  onDropped: (order: number) => void;
  /** Where a comparison's verdict leads. */
  onVerdict: () => void;
}

const GRID = "grid grid-cols-2 gap-3 sm:grid-cols-3 sm:gap-4 xl:grid-cols-5";
const SIZE = "relative [&_p.figures]:sm:text-2xl";

/** How sure the service is, it says of the rate alone. */
const COUNTED = { text: count, better: null };

/** The numbers first: each with what it was before and how it went over the range. */
export function MetricCards({ answer, rows, before, total, trend, onDropped, onVerdict }: Props) {
  const words = t.funnel.metrics;
  const [first, last] = [rows[0], rows.at(-1)];
  const worst = biggestDrop(rows);
  const [entered, converted] = [first?.users ?? 0, last?.users ?? 0];
  const enteredBefore = before?.stages[0]?.users ?? 0;
  const convertedBefore = before?.stages.at(-1)?.users ?? 0;
  const rate = answer.overall_conversion_rate;
  const highest = highestConversion(rows);
  const isCompared = before !== null && enteredBefore > 0;
  const line = (value: (bucket: FunnelTrend["buckets"][number]) => number) => trend?.buckets.map(value) ?? null;
  return (
    <div className={GRID}>
      <Metric
        label={words.conversion}
        value={percent(rate)}
        exact={exactPercent(rate)}
        delta={before && conversionDelta(answer, before)}
        isAccent
        className={`col-span-2 sm:col-span-1 ${SIZE}`}
      >
        {isCompared && before.significance && <Sure significance={before.significance} to={verdictLeads(rows, before)} onClick={onVerdict} />}
        {before !== null && enteredBefore === 0 && words.noBefore}
        {highest !== null && (
          <span className="flex items-center gap-1.5" title={w.chart.openTitle}>
            <span aria-hidden className="hatch inline-block size-3 shrink-0 rounded-sm" />
            {w.chart.openBetween(percent(rate), percent(highest))}
          </span>
        )}
        <Line values={line((bucket) => bucket.overall_conversion_rate)} label={words.conversion} />
      </Metric>
      <Metric
        label={words.entered}
        value={compactCount(entered)}
        exact={count(entered)}
        delta={isCompared ? metricDelta(entered, enteredBefore, COUNTED) : null}
        className={SIZE}
      >
        {!isCompared && first && <Text>{words.started(first.stage_name)}</Text>}
        {answer.open > 0 && <Text>{w.chart.openPeople(count(answer.open))}</Text>}
        <Line values={line((bucket) => bucket.users[0] ?? 0)} label={words.entered} />
      </Metric>
      <Metric
        label={words.converted}
        value={compactCount(converted)}
        exact={count(converted)}
        delta={isCompared ? metricDelta(converted, convertedBefore, COUNTED) : null}
        className={SIZE}
      >
        {!isCompared && last && <Text>{words.completed(last.stage_name)}</Text>}
        <Line values={line((bucket) => bucket.users.at(-1) ?? 0)} label={words.converted} />
      </Metric>
      <Metric label={w.metrics.median} value={total?.median_s === null || !total ? "–" : duration(total.median_s)} className={SIZE}>
        {total && <Text>{total.p90_s === null ? w.metrics.noTimes : w.metrics.p90(duration(total.p90_s))}</Text>}
      </Metric>
      <Metric label={words.biggest} value={worst ? `−${percent(worst.drop_off_rate)}` : "0%"} exact={worst ? exactPercent(worst.drop_off_rate) : ""} className={SIZE}>
        {worst ? (
          <button
            type="button"
            title={w.metrics.showLost}
            className="text-left underline decoration-line-strong/60 underline-offset-3 hover:text-ink hover:decoration-current"
            onClick={() => onDropped(worst.order)}
          >
            <Text>{words.between(rows[worst.order - 2]?.stage_name ?? "", worst.stage_name)}</Text>
          </button>
        ) : (
          words.none
        )}
      </Metric>
    </div>
  );
}

function Text({ children }: { children: string }) {
  return (
    <span dir="auto" className="line-clamp-2">
      {children}
    </span>
  );
}

/** In words, for those who do not see where it leads. */
function verdictLeads(rows: readonly StageRow[], before: ComparedPeriod): string {
  const step = clearestStep(before);
  return step ? w.sure.why(rows[step.from_order - 1]?.stage_name ?? "", rows[step.to_order - 1]?.stage_name ?? "") : w.sure.steps;
}

function Sure({ significance, to, onClick }: { significance: Significance; to: string; onClick: () => void }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="relative mt-0.5 flex items-center gap-1.5 text-left underline decoration-line-strong/60 underline-offset-3 hover:text-ink hover:decoration-current"
    >
      <SureMark significance={significance} />
      <span className="sr-only">{`: ${to}`}</span>
    </button>
  );
}

function Line({ values, label }: { values: readonly number[] | null; label: string }): ReactNode {
  if (!values || values.length < 3) return null;
  return (
    <span className="absolute top-3.5 right-4 hidden opacity-80 sm:block">
      <Sparkline values={values} width={64} height={24} label={w.metrics.trendOf(label)} />
    </span>
  );
}

export function MetricSkeleton() {
  return (
    <div className={GRID} aria-busy="true">
      {[1, 2, 3, 4, 5].map((one) => (
        <Skeleton key={one} className="h-36 rounded-xl first:col-span-2 sm:first:col-span-1" />
      ))}
    </div>
  );
}
