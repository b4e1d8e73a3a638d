import { cn } from "@/lib/class-names";
import { w } from "./words";

/** What the hatched parts of a picture are. */
export function HatchLegend({ className }: { className?: string }) {
  return (
    <p className={cn("flex items-center gap-1.5 text-xs text-ink-faint", className)}>
      <span aria-hidden className="hatch inline-block size-3 shrink-0 rounded-sm" />
      {w.chart.legend}
    </p>
  );
}
