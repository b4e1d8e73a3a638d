/** What a number was before, and whether the change is good. */
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

const shown = (rate: number): number => Math.round(rate * 10) / 10;

/** Null when there is nothing to compare with: no number is a certain percentage more than zero. */
export function metricDelta(now: number | null | undefined, before: number | null | undefined, { text, isRate = false, better = "up" }: Options): MetricDelta | null {
  if (typeof now !== "number" || typeof before !== "number" || (!isRate && before === 0)) return null;
  // The difference of the two numbers as they are shown, so that a reader who subtracts agrees.
  const value = isRate ? shown(now) - shown(before) : (now - before) / Math.abs(before);
  const isSame = Math.abs(value) < (isRate ? SAME_RATE : SAME_RATIO);
  const direction = isSame ? "same" : value > 0 ? "up" : "down";
  return { text: isRate ? points(value) : change(value), direction, isBetter: isSame || better === null ? null : direction === better, before: text(before) };
}
