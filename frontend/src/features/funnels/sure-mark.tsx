import type { Significance } from "@/api/types";
import { points, probability } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { w } from "./words";

interface Props {
  significance: Significance;
  /** Only the mark: its words are in the title and for screen readers. */
  isShort?: boolean;
  /** One word beside the mark, where columns are many; the others are for screen readers. */
  isBrief?: boolean;
}

/** How sure a difference is: a full dot, a ring when it may be chance, a dash when there are too few people. */
export function SureMark({ significance, isShort = false, isBrief = false }: Props) {
  const [low, high] = significance.interval;
  const kind = significance.is_too_small ? "tooSmall" : significance.is_significant ? "sure" : "chance";
  const interval = low === undefined || high === undefined ? "" : w.sure.interval(points(low), points(high), probability(significance.p_value));
  return (
    // Words for screen readers alone are placed; without a place of their own they leave the box a table scrolls in.
    <span className="relative inline-flex items-center gap-1.5" title={`${w.sure.long[kind]} ${interval}`}>
      <span
        aria-hidden
        className={cn(
          "inline-block shrink-0",
          kind === "tooSmall" ? "h-0.5 w-2.5 bg-line-strong" : "size-2 rounded-full border-2",
          kind === "sure" ? "border-accent bg-accent" : "border-line-strong",
        )}
      />
      {isBrief && <span aria-hidden>{w.sure.brief[kind]}</span>}
      <span className={cn((isShort || isBrief) && "sr-only")}>{w.sure.short[kind]}</span>
    </span>
  );
}
