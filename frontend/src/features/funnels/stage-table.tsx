import type { ComparedPeriod, FunnelAnswer } from "@/api/types";
import { count, duration, exactPercent, percent, points } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { CopyButton } from "@/ui/copy-button";
import { Delta } from "@/ui/metric";
import { Scroller } from "@/ui/scroller";
import { SortButton } from "@/ui/sort-button";
import { rateChange, stepDelta, type StepDelta } from "./compare-math";
import { tableText, type StageRow } from "./funnel-math";
import type { StageTime } from "./stage-columns";
import { nextStageSort, sortedStages, type StageColumn, type StageSort } from "./stage-sort";
import { SureMark } from "./sure-mark";
import { w } from "./words";

interface Props {
  answer: FunnelAnswer;
  rows: readonly StageRow[];
  times: readonly StageTime[];
  before: ComparedPeriod | null;
  selected: number | null;
  sort?: StageSort | null;
  onSort?: (sort: StageSort | null) => void;
}

/** The numbers of the picture, to read and to copy; beside them those of the days compared with. */
export function StageTable({ answer, rows, times, before, selected, sort = null, onSort }: Props) {
  const words = t.funnel.table;
  const isCompared = before !== null && before.stages.length === rows.length && before.stages.some((stage) => stage.users > 0);
  const hasWaiting = rows.some((row) => row.waiting > 0);
  const heads: [StageColumn, string][] = [
    ["people", words.people],
    ["ofEntered", words.ofEntered],
    ["ofPrevious", words.ofPrevious],
    ["dropOff", words.dropOff],
    ["lost", words.lost],
    ...(hasWaiting ? [["waiting", w.table.waiting] as [StageColumn, string]] : []),
    ["median", w.metrics.median],
    ...(isCompared ? ([["before", words.before], ["change", words.change], ["stepChange", w.table.stepChange]] as [StageColumn, string][]) : []),
  ];
  const copied = tableText(["#", words.stage, words.people, words.ofEntered, words.ofPrevious, words.dropOff, words.lost, w.table.waiting], rows);
  const shown = sortedStages(rows, sort, { medianOf: (order) => medianOf(times, order), before: before?.stages ?? [] });
  return (
    <>
      <div className="flex items-center justify-between gap-3 px-5 py-2.5">
        <h2 className="font-semibold tracking-[-0.006em]">{words.title}</h2>
        <CopyButton text={copied} label={words.copy} variant="ghost" />
      </div>
      <Scroller label={words.title}>
        <table className="figures w-full text-sm">
          <thead>
            <tr className="border-y border-line bg-sunken text-xs text-ink-soft">
              <th scope="col" className="stays py-2 pr-3 pl-5 text-left font-medium">
                {words.stage}
              </th>
              {heads.map(([column, head]) => {
                const way = sort?.column !== column ? null : sort.isDescending ? "descending" : "ascending";
                return (
                  <th key={column} scope="col" title={hintOf(column)} aria-sort={way ?? undefined} className="px-1.5 py-2 text-right font-medium whitespace-nowrap last:pr-5">
                    {onSort ? <SortButton head={head} way={way} isNumber onClick={() => onSort(nextStageSort(sort, column))} /> : head}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {shown.map((row) => (
              <tr key={row.order} className={row.order === selected ? "bg-accent-wash" : "bg-surface"}>
                <th scope="row" className="stays min-w-36 py-2.5 pr-3 pl-5 text-left font-normal">
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
                <Cell>{row.order > 1 ? count(row.left) : "–"}</Cell>
                {hasWaiting && <Cell>{row.order > 1 ? count(row.waiting) : "–"}</Cell>}
                <Cell>{medianText(times, row.order)}</Cell>
                {isCompared && <Compared before={before.stages[row.order - 1]} change={rateChange(rows, before.stages, row.order)} step={stepDelta(rows, before, row.order)} />}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {hasWaiting && <p className="border-t border-line px-5 py-2.5 text-sm text-ink-faint">{`${words.lost}: ${w.table.hints.lost} ${w.table.waiting}: ${w.table.hints.waiting}`}</p>}
      <More answer={answer} />
    </>
  );
}

const hintOf = (column: StageColumn): string | undefined => (w.table.hints as Partial<Record<StageColumn, string>>)[column];
const medianOf = (times: readonly StageTime[], order: number): number | null => times.find((one) => one.to_order === order)?.median_s ?? null;

function medianText(times: readonly StageTime[], order: number): string {
  const seconds = medianOf(times, order);
  return seconds === null ? "–" : duration(seconds);
}

interface ComparedProps {
  before: ComparedPeriod["stages"][number] | undefined;
  change: number | null;
  step: StepDelta | null;
}

function Compared({ before, change, step }: ComparedProps) {
  return (
    <>
      <Cell>{before ? count(before.users) : "–"}</Cell>
      <Cell>{change === null ? "–" : points(change)}</Cell>
      <td className="py-1.5 pr-5 pl-1.5 text-right whitespace-nowrap text-ink-soft">
        {step ? (
          <span className="inline-flex flex-col items-end">
            <Delta delta={step.delta} isBare />
            {step.significance && (
              <span className="text-xs text-ink-faint">
                <SureMark significance={step.significance} isBrief />
              </span>
            )}
          </span>
        ) : (
          "–"
        )}
      </td>
    </>
  );
}

/** Stages that are told apart: optional ones, and each by its name where the order does not matter. */
function More({ answer }: { answer: FunnelAnswer }) {
  const optional = answer.optional_stages ?? [];
  const filled = answer.stages_filled ?? [];
  if (optional.length === 0 && filled.length === 0) return null;
  return (
    <div className="figures grid gap-4 border-t border-line px-5 py-3 text-sm sm:grid-cols-2">
      {optional.length > 0 && (
        <Listed
          title={w.table.optionalTitle}
          lines={optional.map((stage) => [stage.stage_name, w.table.optionalOf(count(stage.users), percent(stage.conversion_rate))])}
        />
      )}
      {filled.length > 0 && <Listed title={w.table.filled} lines={filled.map((stage) => [stage.stage_name, count(stage.users)])} />}
    </div>
  );
}

function Listed({ title, lines }: { title: string; lines: [string, string][] }) {
  return (
    <section aria-label={title}>
      <h3 className="font-medium text-ink-soft">{title}</h3>
      <dl className="mt-1 grid grid-cols-[minmax(0,auto)_auto] justify-start gap-x-6">
        {lines.map(([name, value], index) => (
          <div key={index} className="contents">
            <dt dir="auto" className="stranger">
              {name}
            </dt>
            <dd className="text-ink-soft">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Cell({ children, title, strong = false }: { children: string; title?: string; strong?: boolean }) {
  return (
    <td title={title} className={cn("px-1.5 py-2.5 text-right whitespace-nowrap last:pr-5", strong ? "font-medium text-ink" : "text-ink-soft")}>
      {children}
    </td>
  );
}
