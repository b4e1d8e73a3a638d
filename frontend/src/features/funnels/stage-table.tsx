import type { FunnelAnswer } from "@/api/types";
import { count, exactPercent, percent, points } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Card } from "@/ui/card";
import { CopyButton } from "@/ui/copy-button";
import { tableText, type StageRow } from "./funnel-math";

interface Props {
  rows: readonly StageRow[];
  before: FunnelAnswer | null;
  selected: number | null;
}

export function StageTable({ rows, before, selected }: Props) {
  const words = t.funnel.table;
  const isCompared = before !== null && before.stages.length === rows.length && before.stages.some((stage) => stage.users > 0);
  const heads = [words.people, words.ofEntered, words.ofPrevious, words.dropOff, words.lost, ...(isCompared ? [words.before, words.change] : [])];
  const copied = tableText(["#", words.stage, words.people, words.ofEntered, words.ofPrevious, words.dropOff, words.lost], rows);
  return (
    <Card className="mt-4 overflow-hidden">
      <div className="flex items-center justify-between gap-3 px-5 py-3">
        <h2 className="font-semibold tracking-[-0.006em]">{words.title}</h2>
        <CopyButton text={copied} label={words.copy} variant="ghost" />
      </div>
      <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label={words.title}>
        <table className="figures w-full text-sm">
          <thead>
            <tr className="border-y border-line bg-sunken text-xs text-ink-soft">
              <th scope="col" className="py-2 pr-3 pl-5 text-left font-medium">
                {words.stage}
              </th>
              {heads.map((head) => (
                <th key={head} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap last:pr-5">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {rows.map((row) => (
              <tr key={row.order} className={cn(row.order === selected && "bg-accent-wash")}>
                <th scope="row" className="min-w-36 py-2.5 pr-3 pl-5 text-left font-normal">
                  <span className="flex items-baseline gap-2.5">
                    <span className="text-xs text-ink-faint">{row.order}</span>
                    <span dir="auto" className="stranger line-clamp-2 font-medium">
                      {row.stage_name}
                    </span>
                  </span>
                </th>
                <Cell strong>{count(row.users)}</Cell>
                <Cell title={exactPercent(row.conversion_rate)}>{percent(row.conversion_rate)}</Cell>
                <Cell title={exactPercent(row.fromPrevious)}>{row.order > 1 ? percent(row.fromPrevious) : "–"}</Cell>
                <Cell title={exactPercent(row.drop_off_rate)}>{row.order > 1 ? percent(row.drop_off_rate) : "–"}</Cell>
                <Cell>{row.order > 1 ? count(row.lost) : "–"}</Cell>
                {isCompared && <Compared row={row} before={before.stages[row.order - 1]} />}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Compared({ row, before }: { row: StageRow; before: FunnelAnswer["stages"][number] | undefined }) {
  const difference = before && before.users > 0 && row.order > 1 ? row.conversion_rate - before.conversion_rate : null;
  return (
    <>
      <Cell>{before ? count(before.users) : "–"}</Cell>
      <Cell>{difference === null ? "–" : points(difference)}</Cell>
    </>
  );
}

function Cell({ children, title, strong = false }: { children: string; title?: string; strong?: boolean }) {
  return (
    <td title={title} className={cn("px-3 py-2.5 text-right whitespace-nowrap last:pr-5", strong ? "font-medium text-ink" : "text-ink-soft")}>
      {children}
    </td>
  );
}
