import { placeOf } from "@/features/report/places";
import { cn } from "@/lib/class-names";
import { count, percent } from "@/lib/format";
import { Scroller } from "@/ui/scroller";
import { useRef, useState, type CSSProperties, type KeyboardEvent } from "react";
import { averageWords, cellText, cellWords, hasBegun, mostOf, shadeOf } from "./heat-math";
import type { Cell, Cohort, Matrix } from "./queries";
import type { Interval } from "./retention-state";
import { words } from "./words";

interface Props {
  matrix: Matrix;
  /** The instant that the answer speaks of. */
  asOf: string;
  interval: Interval;
  periods: number;
  show: "percent" | "count";
  back: string;
  isOnOrAfter: boolean;
}

interface Tip {
  title: string;
  lines: readonly string[];
  x: number;
  y: number;
}

/** Not over yet: lines across the shade, whatever the colours. */
const HATCH = "repeating-linear-gradient(135deg, transparent 0 4px, color-mix(in oklch, var(--ink) 16%, transparent) 4px 5px)";

const shade = (share: number, most: number, isOpen = false): CSSProperties => ({
  backgroundColor: `color-mix(in oklch, var(--accent) ${shadeOf(share, most)}%, var(--surface))`,
  ...(isOpen && { backgroundImage: HATCH }),
});

/** Cohorts by period: shade and number say the same. Arrow keys move through the cells. */
export function HeatMap({ matrix, asOf, interval, periods, show, back, isOnOrAfter }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [tip, setTip] = useState<Tip | null>(null);
  const most = mostOf(matrix);
  const told = { interval, back, isOnOrAfter };
  const columns = Array.from({ length: periods + 1 }, (_none, n) => n);
  const open = (cell: HTMLElement, said: Pick<Tip, "title" | "lines">): void => {
    const at = cell.getBoundingClientRect();
    const frame = box.current?.getBoundingClientRect();
    if (frame) setTip({ ...said, x: Math.min(Math.max(0, at.left - frame.left), Math.max(0, frame.width - 300)), y: at.bottom - frame.top + 6 });
  };
  const cellProps = (said: Pick<Tip, "title" | "lines">) => ({
    onMouseEnter: (event: { currentTarget: HTMLElement }) => open(event.currentTarget, said),
    onFocus: (event: { currentTarget: HTMLElement }) => open(event.currentTarget, said),
    onMouseLeave: () => setTip(null),
    onBlur: () => setTip(null),
  });
  return (
    <div ref={box} className="relative" onKeyDown={moveFocus}>
      <Scroller inside="relative pb-1">
        <table role="grid" aria-label={words.table.label} className="figures w-full border-separate border-spacing-0.5 text-sm">
          <thead className="text-xs text-ink-soft">
            <tr className="bg-surface">
              <th scope="col" className="stays px-2 py-1.5 text-left font-medium">
                {words.table.cohort}
              </th>
              <th scope="col" className="px-2 py-1.5 text-right font-medium">
                {words.table.size}
              </th>
              {columns.map((n) => (
                <th key={n} scope="col" title={n === 0 ? words.table.firstNote : undefined} className="min-w-15 px-1 py-1.5 text-center font-medium whitespace-nowrap">
                  {words.table.period[interval](n)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr className="bg-surface">
              <th scope="row" title={words.table.averageNote} className="stays px-2 py-1 text-left font-semibold">
                {words.table.average}
              </th>
              <td className="px-2 text-right font-semibold">{count(matrix.people)}</td>
              {columns.map((n) => {
                const average = matrix.averages.find((one) => one.n === n);
                if (!average || average.size === 0) return <td key={n} className="text-center text-ink-faint">{"–"}</td>;
                return (
                  <td
                    key={n}
                    role="gridcell"
                    tabIndex={n === 0 ? 0 : -1}
                    {...cellProps(averageWords(average, told))}
                    className="h-9 rounded-md px-1 text-center font-semibold text-ink -outline-offset-2"
                    style={shade(average.percent, most)}
                  >
                    <Said text={cellText(average, show)} said={averageWords(average, told)} />
                  </td>
                );
              })}
            </tr>
            {matrix.cohorts.map((cohort) => (
              <tr key={cohort.bucket} className="bg-surface">
                <th scope="row" className="stays px-2 py-1 text-left font-normal whitespace-nowrap">
                  {placeOf(cohort.bucket, interval).label}
                </th>
                <td className="px-2 text-right text-ink-soft">{count(cohort.size)}</td>
                {columns.map((n) => {
                  const cell = cohort.cells.find((one) => one.n === n);
                  if (!cell || !hasBegun(cohort, n, interval, asOf)) return <td key={n} />;
                  const said = cellWords(cohort, cell, told);
                  return <HeatCell key={n} cohort={cohort} cell={cell} most={most} text={cellText(cell, show)} said={said} wired={cellProps(said)} />;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {tip && (
        <div aria-hidden className="pointer-events-none absolute z-20 w-75 rounded-lg border border-line bg-surface px-3 py-2.5 text-sm shadow-pop" style={{ left: tip.x, top: tip.y }}>
          <p className="font-semibold">{tip.title}</p>
          {tip.lines.map((line) => (
            <p key={line} dir="auto" className="stranger mt-1 text-ink-soft">
              {line}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

interface CellProps {
  cohort: Cohort;
  cell: Cell;
  most: number;
  text: string;
  said: Pick<Tip, "title" | "lines">;
  wired: object;
}

/** The number for the eyes, the whole sentence for those who listen. */
function Said({ text, said }: Pick<CellProps, "text" | "said">) {
  return (
    <>
      <span aria-hidden>{text}</span>
      <span className="sr-only">{`${said.title}. ${said.lines.join(" ")}`}</span>
    </>
  );
}

function HeatCell({ cohort, cell, most, text, said, wired }: CellProps) {
  if (cohort.size === 0) return <td className="text-center text-ink-faint">{"–"}</td>;
  return (
    <td
      role="gridcell"
      tabIndex={-1}
      {...wired}
      className={cn("h-9 rounded-md px-1 text-center text-ink -outline-offset-2", cell.is_open && "italic")}
      style={shade(cell.percent, most, cell.is_open)}
    >
      <Said text={text} said={said} />
    </td>
  );
}

/** One stop in the tab order; from there arrows lead from cell to cell. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const cell = (event.target as HTMLElement).closest<HTMLTableCellElement>("[role=gridcell]");
  const row = cell?.closest("tr");
  if (!step || !cell || !row) return;
  const [down = 0, right = 0] = step;
  const rows = [...(row.parentElement?.children ?? [])] as HTMLTableRowElement[];
  const next = rows[rows.indexOf(row) + down]?.cells[cell.cellIndex + right];
  event.preventDefault();
  if (next?.getAttribute("role") === "gridcell") next.focus();
}

/** How the shades read, in words: the first period's own cells are as deep as the highest, and often say much more. */
export function HeatLegend({ matrix, interval }: { matrix: Matrix; interval: Interval }) {
  const most = mostOf(matrix);
  const hasOpen = matrix.cohorts.some((cohort) => cohort.cells.some((cell) => cell.is_open));
  return (
    <div className="figures flex flex-wrap items-center gap-x-5 gap-y-1 text-xs text-ink-soft">
      {most > 0 && (
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span>{words.legend.share}</span>
          <span className="flex items-center gap-1.5">
            {words.legend.low}
            <span aria-hidden className="flex gap-0.5">
              {[0, 0.25, 0.5, 0.75, 1].map((part) => (
                <span key={part} className="h-3 w-5 rounded-sm border border-line" style={shade(part * most, most)} />
              ))}
            </span>
            {words.legend.high(percent(most), words.table.period[interval](0))}
          </span>
        </p>
      )}
      {hasOpen && (
        <p className="flex items-center gap-1.5">
          <span aria-hidden className="h-3 w-5 shrink-0 rounded-sm border border-line-strong" style={{ backgroundImage: HATCH }} />
          {words.legend.open}
        </p>
      )}
    </div>
  );
}
