/** What is said of the days compared with, beside a stage and in the legend. */
import { compactCount, dayRange, percent } from "@/lib/format";
import type { DrawnBefore, StageBefore } from "./compare-math";
import { w } from "./words";

export const isOpenBefore = (before: StageBefore): boolean => before.highest > before.share;

/** What the line stands at. Of the first stage, which is always all who entered, how many these were. */
export function beforeText(before: StageBefore, order: number): string {
  if (order === 1) return w.chart.before(compactCount(before.users));
  const low = percent(before.share);
  return w.chart.before(isOpenBefore(before) ? `${low.replace("%", "")} – ${percent(before.highest)}` : low);
}

export function beforeLegend({ days, stages }: DrawnBefore): string {
  const said = days.start !== null && days.end !== null ? dayRange({ start: days.start, end: days.end }) : w.chart.daysBefore;
  return w.chart.beforeLegend(said, stages.some(isOpenBefore));
}
