import { duration } from "@/lib/format";

/** Names of the bins of a histogram: "under 1 s", "1 – 10 s", "3 – 7 d", "over 30 d". */
export function binName(from_s: number, to_s: number | null): string {
  if (to_s === null) return `over ${duration(from_s)}`;
  if (from_s === 0) return `under ${duration(to_s)}`;
  const [low, high] = [duration(from_s), duration(to_s)];
  const unit = high.slice(high.indexOf(" "));
  return low.endsWith(unit) && !low.slice(0, -unit.length).includes(" ") ? `${low.slice(0, -unit.length)} – ${high}` : `${low} – ${high}`;
}
