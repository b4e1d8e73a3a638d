/** What a number was before, and whether the change is good. */
import type { Significance } from "@/api/types";
import { change, points } from "@/lib/format";
import type { MetricDelta } from "@/ui/metric";

interface Options {
  /** How the number before is written. */
  text: (value: number) => string;
  /** Rates change by points, everything else relatively. */
  isRate?: boolean;
  /** Which way is better; null: neither. */
  better?: "up" | "down" | null;
}

const SAME_RATE = 0.05;
const SAME_RATIO = 0.0005;

/** Null when there is nothing to compare with: no number is a certain percentage more than zero. */
export function metricDelta(now: number | null | undefined, before: number | null | undefined, { text, isRate = false, better = "up" }: Options): MetricDelta | null {
  if (typeof now !== "number" || typeof before !== "number" || (!isRate && before === 0)) return null;
  // Of the numbers as they are: of rounded ones it may be a tenth off what is said of the same change elsewhere.
  const value = isRate ? now - before : (now - before) / Math.abs(before);
  const isSame = Math.abs(value) < (isRate ? SAME_RATE : SAME_RATIO);
  const direction = isSame ? "same" : value > 0 ? "up" : "down";
  return { text: isRate ? points(value) : change(value), direction, isBetter: isSame || better === null ? null : direction === better, before: text(before) };
}

/** Neither good nor bad while the range is not over: part of a day stands beside a whole one. */
export const untoned = (delta: MetricDelta | null, buckets: readonly { is_incomplete: boolean }[]): MetricDelta | null =>
  delta && buckets.some((one) => one.is_incomplete) ? { ...delta, isBetter: null } : delta;

/** A change is good or bad only where the comparison calls it clear: not while it may be chance, nor while open entries may undo it. */
export const toned = (delta: MetricDelta, significance: Significance | null | undefined): MetricDelta => (significance?.is_significant ? delta : { ...delta, isBetter: null });
