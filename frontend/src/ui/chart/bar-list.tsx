import { t } from "@/lib/strings";
import { cn } from "@/lib/class-names";
import type { ReactNode } from "react";

export interface BarRow {
  key: string;
  name: string;
  value: number;
  /** The value as text, and beside it what else there is to say of the row. */
  text: string;
  detail?: ReactNode;
  icon?: ReactNode;
  /** A line across the row, in percent of the longest bar. */
  mark?: number;
  /** Not a name of the data but a word of ours: "(not set)". */
  isOurs?: boolean;
}

interface Props {
  rows: readonly BarRow[];
  onPick?: (row: BarRow) => void;
  /** What a click does, for the title. */
  pickLabel?: (name: string) => string;
  empty?: string;
  /** The bars are the picture, not a shade behind the names. */
  isStrong?: boolean;
  className?: string;
}

/** Names with a bar behind them, largest first: top pages, sources, countries. */
export function BarList({ rows, onPick, pickLabel, empty = t.table.empty, isStrong = false, className }: Props) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  if (rows.length === 0) return <p className={cn("px-2 py-6 text-center text-sm text-ink-faint", className)}>{empty}</p>;
  return (
    <ul className={cn("flex flex-col gap-0.5", className)}>
      {rows.map((row) => (
        <li key={row.key} className="relative">
          <span aria-hidden className={cn("absolute inset-y-0 left-0 rounded-md", isStrong ? "bg-accent/30" : "bg-accent-wash")} style={{ width: `${Math.max(0.5, (100 * row.value) / most)}%` }} />
          {row.mark !== undefined && <span aria-hidden data-testid="before" className="absolute inset-y-0 w-0.5 bg-ink ring-1 ring-surface" style={{ left: `calc(${row.mark}% - 1px)` }} />}
          <div className="relative flex min-h-8 items-center justify-between gap-3 px-2 text-sm">
            <Name row={row} {...(onPick && { onPick })} {...(pickLabel && { pickLabel })} />
            <span className="figures flex shrink-0 items-baseline gap-2">
              {row.detail && <span className={cn("text-xs", isStrong ? "text-ink-soft" : "text-ink-faint")}>{row.detail}</span>}
              <span className="font-medium">{row.text}</span>
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Name({ row, onPick, pickLabel }: { row: BarRow; onPick?: (row: BarRow) => void; pickLabel?: (name: string) => string }) {
  const name = (
    <span className="flex min-w-0 items-center gap-2">
      {row.icon}
      <span dir="auto" className={cn("stranger line-clamp-1", row.isOurs && "text-ink-soft italic")} title={row.name}>
        {row.name}
      </span>
    </span>
  );
  if (!onPick) return name;
  return (
    <button type="button" onClick={() => onPick(row)} title={pickLabel?.(row.name)} className="min-w-0 rounded text-left hover:underline">
      {name}
    </button>
  );
}
