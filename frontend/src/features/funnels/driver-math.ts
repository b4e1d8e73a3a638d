/** Drivers in words and on a scale. */
import type { Driver, Drivers } from "@/api/types";
import { propertyLabel } from "@/features/report/conditions";
import { duration, factor } from "@/lib/format";
import { w } from "./words";

export function factorText(driver: Driver): string {
  const name = propertyLabel(driver.name);
  const value = driver.value === null ? "" : String(driver.value);
  if (driver.op === "did") return w.why.did(name);
  if (driver.op === "exists") return w.why.isSet(name);
  return driver.op === "gte" ? w.why.atLeast(name, value) : w.why.is(name, value);
}

/**
 * Each factor once, the first of those with the same words: the service puts the strongest first. A property and the
 * built-in column of its name tell much the same of the same people, and so does a value on the entry and on the stage.
 * What somebody did before the stage is another thing than what they did after it.
 */
export function eachFactorOnce(drivers: readonly Driver[]): Driver[] {
  const seen = new Set<string>();
  return drivers.filter((driver) => {
    const key = JSON.stringify([driver.kind, factorText(driver), driver.kind === "event" ? driver.at : null]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Where the factor was looked for, with the names of the stages. */
export function placeText(driver: Driver, answer: Pick<Drivers, "step" | "landmark" | "lookback_seconds">): string {
  const stage = answer.step.from_name;
  if (driver.at === "entry") return w.why.at.entry;
  if (driver.at === "stage") return w.why.at.stage(stage);
  if (driver.at === "before") return w.why.at.before(duration(answer.lookback_seconds), stage);
  return w.why.at.after(duration(answer.landmark.seconds), stage);
}

/** "3.4 times the odds", told as more or less so that the figure is above 1; null when it cannot be said. */
export function oddsText(driver: Driver): string | null {
  const [low, high] = driver.odds_interval;
  const ratio = driver.odds_ratio;
  if (!(ratio > 0) || !Number.isFinite(ratio) || low === undefined || high === undefined || !(low > 0)) return null;
  return ratio >= 1
    ? w.why.more(factor(ratio), factor(low), factor(high))
    : w.why.less(factor(1 / ratio), factor(1 / high), factor(1 / low));
}

const TICKS = [5, 10, 20, 30, 50, 100];

/** Half of the width of the scale in points: every dot and the interval of every finding fit. */
export function reach(drivers: readonly Driver[]): number {
  // Wide intervals of what may be chance run off the edge rather than make everything else small.
  const most = Math.max(0, ...drivers.flatMap((driver) => (driver.is_significant ? driver.interval.map(Math.abs) : [Math.abs(driver.difference)])));
  return TICKS.find((tick) => most <= tick) ?? 100;
}

/** Place on the scale in percent of its width. */
export function placeOn(points: number, reach_points: number): number {
  const held = Math.max(-reach_points, Math.min(reach_points, points));
  return 50 + (50 * held) / reach_points;
}
