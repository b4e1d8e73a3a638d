/** A funnel beside the days it is compared with. */
import type { ComparedPeriod, FunnelAnswer, FunnelGroup, Significance, StepSignificance } from "@/api/types";
import { metricDelta, toned } from "@/features/report/deltas";
import type { DayRange } from "@/lib/dates";
import { percent } from "@/lib/format";
import type { MetricDelta } from "@/ui/metric";
import { share } from "./funnel-math";

/** The days compared with, as the picture draws them. */
export interface DrawnBefore {
  /** Null asks for all data at that side. */
  days: { start: string | null; end: string | null };
  stages: readonly StageBefore[];
}

export interface StageBefore {
  users: number;
  /** Percent of those who entered then. */
  share: number;
  /** The same if everybody who was open then still gets there. */
  highest: number;
}

/** The days compared with, where both ends are known. */
export function comparedDays(compare: Pick<ComparedPeriod, "date_range"> | null | undefined): DayRange | null {
  const { start = null, end = null } = compare?.date_range ?? {};
  return start !== null && end !== null ? { start, end } : null;
}

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

/** By how many points the conversion changed, exactly; null when nobody entered before. */
export function conversionChange(now: Counts, before: Counts): number | null {
  const rates = ratesAt(now, before, now.length);
  return rates && rates.now - rates.before;
}

/** The change of the conversion as cards show it: the same as that of the last stage in the table. */
export function conversionDelta(answer: Pick<FunnelAnswer, "stages">, compare: Pick<ComparedPeriod, "stages" | "overall_conversion_rate" | "significance">): MetricDelta | null {
  const rates = ratesAt(answer.stages, compare.stages, answer.stages.length);
  const delta = rates && metricDelta(rates.now, rates.before, { text: () => percent(compare.overall_conversion_rate), isRate: true });
  return delta && toned(delta, compare.significance);
}

/** Of those who were at the stage before, percent who went on: now and before. Null for the first stage, and where nobody was there. */
function stepRates(now: Counts, before: Counts, order: number): { now: number; before: number } | null {
  const [from, to, fromBefore, toBefore] = [now[order - 2], now[order - 1], before[order - 2], before[order - 1]];
  if (!from?.users || !to || !fromBefore?.users || !toBefore) return null;
  return { now: share(to.users, from.users), before: share(toBefore.users, fromBefore.users) };
}

export function stepChange(now: Counts, before: Counts, order: number): number | null {
  const rates = stepRates(now, before, order);
  return rates && rates.now - rates.before;
}

export interface StepDelta {
  delta: MetricDelta;
  significance: Significance | null;
}

/** The change of a step as the table shows it: better or worse only where the service calls it more than chance. */
export function stepDelta(now: Counts, compare: Pick<ComparedPeriod, "stages" | "step_significance">, order: number): StepDelta | null {
  const rates = stepRates(now, compare.stages, order);
  const delta = rates && metricDelta(rates.now, rates.before, { text: percent, isRate: true });
  const significance = compare.step_significance?.find((step) => step.to_order === order) ?? null;
  return delta && { delta: toned(delta, significance), significance };
}

export interface GroupChange extends StepDelta {
  /** Percent who converted then. */
  before: number;
}

/** By how much the conversion of a group changed; null where nobody entered with this value then. */
export function groupChange(group: FunnelGroup, then: readonly FunnelGroup[]): GroupChange | null {
  const before = then.find((one) => one.group === group.group && one.value === group.value);
  const rates = before ? ratesAt(group.stages, before.stages, group.stages.length) : null;
  const delta = rates && metricDelta(rates.now, rates.before, { text: percent, isRate: true });
  const significance = before?.significance ?? null;
  return delta && { before: rates.before, delta: toned(delta, significance), significance };
}

type Steps = Pick<ComparedPeriod, "step_significance">;

const clearSteps = (compare: Steps | null | undefined): StepSignificance[] => (compare?.step_significance ?? []).filter((step) => step.is_significant);

/** The step whose rate changed most clearly; null where none changed by more than chance. Very small p come as 0, of those the larger change is. */
export function clearestStep(compare: Steps | null | undefined): StepSignificance | null {
  return clearSteps(compare).sort((one, other) => one.p_value - other.p_value || Math.abs(other.difference) - Math.abs(one.difference))[0] ?? null;
}

/** The changes that the picture marks: of each step that changed by more than chance, by its later stage. */
export function clearChanges(now: Counts, compare: Pick<ComparedPeriod, "stages" | "step_significance"> | null | undefined): ReadonlyMap<number, MetricDelta> {
  return new Map(clearSteps(compare).flatMap(({ to_order }) => {
    const step = compare && stepDelta(now, compare, to_order);
    return step ? [[to_order, step.delta] as const] : [];
  }));
}

/**
 * What is drawn beside the bars: shares of those who entered *then*, on the scale on which the first bar is all of now.
 * So a stage shows its change of rate and not that more people came, and choosing a comparison moves no bar.
 */
export function drawnBefore(rows: Counts, before: Pick<ComparedPeriod, "stages" | "date_range"> | null | undefined): DrawnBefore | null {
  const entered = before?.stages[0]?.users ?? 0;
  if (!before || entered === 0 || before.stages.length !== rows.length) return null;
  const stages = before.stages.map(({ users, users_max }) => ({ users, share: share(users, entered), highest: Math.min(100, share(Math.max(users, users_max), entered)) }));
  return { days: before.date_range, stages };
}
