import { count } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { seriesColor } from "@/ui/chart/series";
import { Sparkline } from "@/ui/chart/sparkline";
import { Scroller } from "@/ui/scroller";
import { Delta } from "@/ui/metric";
import { LINES_MAX, type TrendRow } from "./trend-lines";
import { words } from "./words";

/** Each line with its total over the whole range, which is no sum of its points. */
export function TotalsTable({ rows, isCompared }: { rows: readonly TrendRow[]; isCompared: boolean }) {
  const heads = [words.table.name, words.table.course, words.table.total, ...(isCompared ? [words.table.before, words.table.change] : [])];
  return (
    <Scroller label={words.tableLabel} className="max-h-120 border-t border-line">
      <table className="figures w-full text-sm">
        <thead className="sticky top-0 z-10 bg-sunken text-xs text-ink-soft">
          <tr>
            {heads.map((head, at) => (
              <th key={head} scope="col" className={`px-5 py-2 font-medium ${at < 2 ? "text-left" : "text-right"} ${at === 1 || at === 3 ? "max-sm:hidden" : ""}`}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row, index) => (
            <tr key={row.key}>
              <th scope="row" className="px-5 py-2 text-left font-normal">
                <span className="flex min-w-0 items-center gap-2">
                  <span aria-hidden className="size-2 shrink-0 rounded-full" style={{ background: index < LINES_MAX ? seriesColor(index) : "var(--line)" }} />
                  <span className="min-w-0">
                    <span dir="auto" className="stranger line-clamp-2">
                      {row.name}
                    </span>
                    {row.badges.map((badge) => (
                      <Badge key={badge} tone="warning" className="mr-1">
                        {badge}
                      </Badge>
                    ))}
                  </span>
                </span>
              </th>
              <td className="px-5 py-2 max-sm:hidden">
                <Sparkline values={row.course} />
              </td>
              <td className="px-5 py-2 text-right whitespace-nowrap">
                <span className="font-medium">{row.total.value === null ? "–" : count(row.total.value)}</span> <span className="text-xs text-ink-faint max-sm:hidden">{row.unit}</span>
              </td>
              {isCompared && (
                <>
                  <td className="px-5 py-2 text-right max-sm:hidden">{row.before === null ? "–" : count(row.before)}</td>
                  <td className="px-5 py-2 text-right">{row.delta ? <Delta delta={row.delta} isBare /> : "–"}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
