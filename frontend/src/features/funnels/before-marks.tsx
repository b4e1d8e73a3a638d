/** How the days compared with look beside the bars: a line across, as a target stands across a gauge; told by its form, not by a colour. */
import { cn } from "@/lib/class-names";
import { count, exactPercent } from "@/lib/format";
import { beforeLegend, beforeText, isOpenBefore } from "./before-words";
import type { DrawnBefore, StageBefore } from "./compare-math";
import { w } from "./words";

/** Across a bar that lies: an upright line, and dotted up to where it may still move. */
export function LineAcrossRow({ before }: { before: StageBefore }) {
  return (
    <>
      {isOpenBefore(before) && (
        <span aria-hidden className="absolute top-1/2 border-t-2 border-dotted border-ink" style={{ left: `${before.share}%`, width: `${before.highest - before.share}%` }} />
      )}
      <span aria-hidden data-testid="before" className="absolute -top-1 -bottom-1 w-0.5 bg-ink ring-1 ring-surface" style={{ left: `calc(${before.share}% - 1px)` }} />
    </>
  );
}

export function BeforeText({ before, order, className }: { before: StageBefore | undefined; order: number; className?: string }) {
  if (!before) return null;
  return (
    <span title={w.chart.beforeTitle(count(before.users), exactPercent(before.share))} className={cn("figures block text-xs text-ink-faint", className)}>
      {beforeText(before, order)}
    </span>
  );
}

/** What the lines across the bars are. */
export function BeforeLegend({ drawn }: { drawn: DrawnBefore }) {
  return (
    <p className="flex items-center gap-1.5 text-xs text-ink-faint">
      <span aria-hidden className="relative inline-block size-3 shrink-0 rounded-sm bg-(--bar-flow)">
        <span className="absolute top-[5px] -right-0.5 -left-0.5 h-0.5 bg-ink" />
      </span>
      <span>{beforeLegend(drawn)}</span>
    </p>
  );
}
