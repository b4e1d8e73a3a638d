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
    <div className="-mx-5 overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="figures w-full text-sm">
        <thead>
          <tr className="border-b border-line text-xs text-ink-soft">
            {heads.map((head) => (
              <th key={head} scope="col" className="px-5 py-1.5 text-left font-medium whitespace-nowrap">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row" dir="auto" className="stranger min-w-36 px-5 py-2 text-left font-medium">
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
    </div>
  );
}
