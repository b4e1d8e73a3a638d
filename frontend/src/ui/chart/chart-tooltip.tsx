import type { ReactNode } from "react";

interface Line {
  key: string;
  name: string;
  value: string;
  color?: string;
}

/** A small table that follows the pointer; every chart of the dashboard has the same one. */
export function ChartTooltip({ title, lines, note }: { title: string; lines: readonly Line[]; note?: ReactNode }) {
  return (
    <div className="max-w-80 rounded-lg border border-line bg-surface px-3 py-2.5 text-sm shadow-pop">
      <p dir="auto" className="stranger line-clamp-2 font-semibold">
        {title}
      </p>
      <dl className="mt-1.5 grid grid-cols-[minmax(0,auto)_auto] gap-x-6 gap-y-0.5">
        {lines.map((line) => (
          <div key={line.key} className="contents">
            <dt className="flex min-w-0 items-center gap-2 text-ink-soft">
              {line.color && <span aria-hidden className="size-2 shrink-0 rounded-full" style={{ background: line.color }} />}
              <span dir="auto" className="stranger line-clamp-1">
                {line.name}
              </span>
            </dt>
            <dd className="figures text-right font-medium">{line.value}</dd>
          </div>
        ))}
      </dl>
      {note && <p className="stranger mt-1.5 border-t border-line pt-1.5 text-xs text-ink-soft">{note}</p>}
    </div>
  );
}
