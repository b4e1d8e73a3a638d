/** A funnel beside the days it is compared with. */
import type { ComparedPeriod, FunnelAnswer } from "@/api/types";
import { metricDelta, toned } from "@/features/report/deltas";
import { percent } from "@/lib/format";
import type { MetricDelta } from "@/ui/metric";
import { share } from "./funnel-math";

type Counts = readonly { users: number }[];

/** Of those who entered, percent who got to a stage: now and before. From the counts, as rates come rounded; null when nobody entered before. */
function ratesAt(now: Counts, before: Counts, order: number): { now: number; before: number } | null {
  const [entered, got] = [now[0], now[order - 1]];
  const [enteredBefore, gotBefore] = [before[0], before[order - 1]];
  if (!entered || !got || !enteredBefore || !gotBefore || enteredBefore.users === 0) return null;
  return { now: share(got.users, entered.users), before: share(gotBefore.users, enteredBefore.users) };
}

/** By how many points the share of those who got to a stage changed; null for the first, which is always all. */
export function rateChange(now: Counts, before: Counts, order: number): number | null {
  const rates = order > 1 ? ratesAt(now, before, order) : null;
  return rates && rates.now - rates.before;
}

/** The change of the conversion as cards show it: the same as that of the last stage in the table. */
export function conversionDelta(answer: Pick<FunnelAnswer, "stages">, compare: Pick<ComparedPeriod, "stages" | "overall_conversion_rate" | "significance">): MetricDelta | null {
  const rates = ratesAt(answer.stages, compare.stages, answer.stages.length);
  const delta = rates && metricDelta(rates.now, rates.before, { text: () => percent(compare.overall_conversion_rate), isRate: true });
  return delta && toned(delta, compare.significance);
}
