import { cn } from "@/lib/class-names";
import { count, percent } from "@/lib/format";
import { Scroller } from "@/ui/scroller";
import { rowsOf } from "./flow-rows";
import type { PathsAnswer } from "./queries";
import { words } from "./words";

export function FlowTable({ answer }: { answer: PathsAnswer }) {
  const { table } = words;
  const heads = [table.step, table.from, table.to, table.amount[answer.unit], table.share];
  return (
    <Scroller label={table.label} className="max-h-140 overflow-hidden rounded-lg border border-line">
      <table className="figures w-full min-w-120 text-sm">
        <thead className="sticky top-0 z-10 bg-sunken text-xs text-ink-soft">
          <tr>
            {heads.map((head, at) => (
              <th key={head} scope="col" className={cn("px-3 py-2 font-medium", at < 3 ? "text-left" : "text-right")}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rowsOf(answer).map((row) => (
            <tr key={row.key}>
              <td className="px-3 py-1.5 whitespace-nowrap text-ink-soft">{row.step}</td>
              <td dir="auto" className={cn("stranger px-3 py-1.5", row.isFromOurs && "text-ink-soft italic")}>
                <span className="line-clamp-2">{row.from}</span>
              </td>
              <td dir="auto" className={cn("stranger px-3 py-1.5", row.isToOurs && "text-ink-soft italic")}>
                <span className="line-clamp-2">{row.to}</span>
              </td>
              <td className="px-3 py-1.5 text-right font-medium">{count(row.value)}</td>
              <td className="px-3 py-1.5 text-right">{percent(row.share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

/** Whole ways, most frequent first. */
export function Ways({ answer }: { answer: PathsAnswer }) {
  if (answer.paths.length === 0) return null;
  return (
    <section className="border-t border-line px-5 py-4">
      <h3 className="text-sm font-semibold">{words.ways.title}</h3>
      <p className="mb-2 text-xs text-ink-faint">{words.ways.note}</p>
      <ol aria-label={words.ways.label} className="flex flex-col divide-y divide-line">
        {answer.paths.map((way, at) => (
          <li key={at} className="flex items-start justify-between gap-4 py-1.5 text-sm">
            <span className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-1">
              {way.names.map((name, step) => (
                <span key={step} className="inline-flex max-w-full min-w-0 items-center gap-1.5">
                  {step > 0 && (
                    <span aria-hidden className="text-ink-faint">
                      {words.arrow}
                    </span>
                  )}
                  <span dir="auto" title={name} className="stranger line-clamp-1 rounded-md bg-sunken px-1.5 py-0.5">
                    {name}
                  </span>
                </span>
              ))}
              {!way.is_whole && <span className="text-xs text-ink-faint italic">{words.ways.goesOn}</span>}
            </span>
            <span className="figures shrink-0 font-medium">
              {count(way.entities)} <span className="font-normal text-ink-faint">{percent(way.percent)}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
