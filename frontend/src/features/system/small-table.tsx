import { Scroller } from "@/ui/scroller";
import { cn } from "@/lib/class-names";
import type { ReactNode } from "react";

interface Props {
  label: string;
  heads: readonly string[];
  /** The first cell of a row names it. */
  rows: readonly (readonly ReactNode[])[];
}

/** A table of few rows, plain HTML. */
export function SmallTable({ label, heads, rows }: Props) {
  return (
    <Scroller label={label} className="-mx-5">
      <table className="figures w-full text-sm">
        <thead>
          <tr className="border-b border-line bg-surface text-xs text-ink-soft">
            {heads.map((head, column) => (
              <th key={head} scope="col" className={cn("px-5 py-1.5 text-left font-medium whitespace-nowrap", column === 0 && "stays")}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((cells, row) => (
            <tr key={row} className="bg-surface">
              {cells.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row" dir="auto" className="stays stranger min-w-36 px-5 py-2 text-left font-medium">
                    {cell}
                  </th>
                ) : (
                  <td key={column} className="px-5 py-2 whitespace-nowrap text-ink-soft">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
