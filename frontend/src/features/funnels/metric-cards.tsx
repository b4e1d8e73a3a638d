import type { FunnelAnswer } from "@/api/types";
import { change, compactCount, count, exactPercent, percent, points } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Skeleton } from "@/ui/skeleton";
import { ArrowDownRight, ArrowUpRight, Minus } from "lucide-react";
import type { ReactNode } from "react";
import { biggestDrop, countDelta, rateDelta, type Delta, type StageRow } from "./funnel-math";

interface Props {
  answer: FunnelAnswer;
  rows: readonly StageRow[];
  /** The answer for the period before; null when nothing is compared. */
  before: FunnelAnswer | null;
  isComparing: boolean;
}

export function MetricCards({ answer, rows, before, isComparing }: Props) {
  const words = t.funnel.metrics;
  const first = rows[0];
  const last = rows.at(-1);
  const worst = biggestDrop(rows);
  const entered = first?.users ?? 0;
  const converted = last?.users ?? 0;
  const enteredBefore = before?.stages[0]?.users ?? 0;
  const convertedBefore = before?.stages.at(-1)?.users ?? 0;
  const rate = answer.overall_conversion_rate;
  const isBeforeEmpty = isComparing && before !== null && enteredBefore === 0;
  const isCompared = before !== null && enteredBefore > 0;
  return (
    <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-4">
      <Metric label={words.conversion} value={percent(rate)} exact={exactPercent(rate)} isAccent>
        {isCompared && <DeltaNote delta={rateDelta(rate, before.overall_conversion_rate)} text={points} before={percent(before.overall_conversion_rate)} />}
        {isBeforeEmpty && words.noBefore}
      </Metric>
      <Metric label={words.entered} value={compactCount(entered)} exact={count(entered)}>
        {isCompared ? (
          <DeltaNote delta={countDelta(entered, enteredBefore)} text={change} before={count(enteredBefore)} />
        ) : (
          first && words.started(first.stage_name)
        )}
      </Metric>
      <Metric label={words.converted} value={compactCount(converted)} exact={count(converted)}>
        {isCompared ? (
          <DeltaNote delta={countDelta(converted, convertedBefore)} text={change} before={count(convertedBefore)} />
        ) : (
          last && words.completed(last.stage_name)
        )}
      </Metric>
      <Metric label={words.biggest} value={worst ? `−${percent(worst.drop_off_rate)}` : "0%"} exact={worst ? exactPercent(worst.drop_off_rate) : ""}>
        {worst ? words.between(rows[worst.order - 2]?.stage_name ?? "", worst.stage_name) : words.none}
      </Metric>
    </div>
  );
}

interface MetricProps {
  label: string;
  value: string;
  exact: string;
  isAccent?: boolean;
  children: ReactNode;
}

function Metric({ label, value, exact, isAccent = false, children }: MetricProps) {
  return (
    <section aria-label={label} className="flex min-w-0 flex-col rounded-xl border border-line bg-surface px-4 pt-3.5 pb-3 shadow-card sm:px-5 sm:pt-4">
      <h2 className="text-sm font-medium text-ink-soft">{label}</h2>
      <p
        title={exact}
        className={cn(
          "figures mt-1 text-2xl font-semibold tracking-[-0.03em] sm:text-3xl",
          isAccent && "text-accent-ink",
        )}
      >
        {value}
      </p>
      <div className="stranger figures mt-1.5 line-clamp-2 min-h-5 text-sm text-ink-faint">
        {children}
      </div>
    </section>
  );
}

function DeltaNote({ delta, text, before }: { delta: Delta | null; text: (value: number) => string; before: string }) {
  if (!delta) return <>{t.funnel.metrics.before(before)}</>;
  const Icon = delta.isBetter === null ? Minus : delta.isBetter ? ArrowUpRight : ArrowDownRight;
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <span
        className={cn(
          "inline-flex items-center gap-0.5 font-medium",
          delta.isBetter === null ? "text-ink-soft" : delta.isBetter ? "text-positive" : "text-danger",
        )}
      >
        <Icon aria-hidden className="size-3.5" strokeWidth={2.5} />
        {text(delta.value)}
      </span>
      <span>{t.funnel.metrics.before(before)}</span>
    </span>
  );
}

export function MetricSkeleton() {
  return (
    <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-4" aria-busy="true">
      {[1, 2, 3, 4].map((one) => (
        <Skeleton key={one} className="h-30 rounded-xl sm:h-33" />
      ))}
    </div>
  );
}
