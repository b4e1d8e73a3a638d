import { compactCount, count, duration, exactPercent, percent } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Loaded } from "@/lib/later";
import { useWidth } from "@/lib/use-width";
import { Delta, type MetricDelta } from "@/ui/metric";
import { Skeleton } from "@/ui/skeleton";
import { Scroller } from "@/ui/scroller";
import { useRef, type KeyboardEvent, type ReactNode } from "react";
import { BeforeLegend, BeforeText, LineAcrossRow } from "./before-marks";
import type { DrawnBefore, StageBefore } from "./compare-math";
import { HatchLegend } from "./hatch-legend";
import { funnelChart } from "./later-chart";
import { biggestDrop, neighbour, share, type StageRow } from "./funnel-math";
import type { Layout } from "./view-state";
import { w } from "./words";

const COLUMN_MIN_PX = 136;
const NO_CHANGES: ReadonlyMap<number, MetricDelta> = new Map();
/** The drop stands beside the rate, over the lines below it: what is open, and what was before. */
const ABOVE_LINES = ["bottom-2", "bottom-7", "bottom-12"];

export interface StageTime {
  to_order: number;
  median_s: number | null;
}

interface Props {
  rows: readonly StageRow[];
  /** Median times from stage to stage, as far as they are known yet. */
  times?: readonly StageTime[];
  /** The days compared with, drawn across the bars. */
  before?: DrawnBefore | null;
  /** By how much steps changed that changed by more than chance, by their later stage. */
  changes?: ReadonlyMap<number, MetricDelta>;
  /** The stage that is marked: of a drop the one whose people stopped. */
  selected: number | null;
  layout: Layout;
  /** `isPointed`: by a click or a tap, not by an arrow key. */
  onSelect: (order: number | null, isPointed?: boolean) => void;
  /** Those who did not reach the stage. */
  onDropped?: (order: number) => void;
}

/** The picture with its labels: columns on wide screens unless rows are asked for, rows on a phone. Each stage is a button; arrows move between them. */
export function StageColumns({ rows, times = [], before = null, changes = NO_CHANGES, selected, layout, onSelect, onDropped }: Props) {
  const group = useRef<HTMLDivElement>(null);
  const worst = biggestDrop(rows)?.order;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : null;
    if (event.key === "Escape" && selected !== null) return onSelect(null);
    if (step === null || event.altKey || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const focused = Number(document.activeElement?.getAttribute("data-order")) || null;
    const next = neighbour(selected ?? focused, step, rows.length);
    onSelect(next);
    for (const button of group.current?.querySelectorAll<HTMLElement>(`[data-order="${next}"]`) ?? []) {
      if (button.offsetParent !== null) button.focus();
    }
  };
  const shown = { rows, times, before, changes, selected, worst, onSelect, onDropped };
  const hasOpen = rows.some((row) => row.open > 0);
  return (
    <div ref={group} onKeyDown={onKeyDown} role="group" aria-label={t.funnel.chart}>
      {layout === "horizontal" && <Columns {...shown} />}
      <Rows {...shown} className={layout === "horizontal" ? "sm:hidden" : ""} />
      {(hasOpen || before) && (
        <div className="flex flex-wrap gap-x-6 gap-y-1 px-5 pb-3">
          {before && <BeforeLegend drawn={before} />}
          {hasOpen && <HatchLegend />}
        </div>
      )}
    </div>
  );
}

interface ViewProps {
  rows: readonly StageRow[];
  times: readonly StageTime[];
  before: DrawnBefore | null;
  changes: ReadonlyMap<number, MetricDelta>;
  selected: number | null;
  worst: number | undefined;
  onSelect: (order: number | null, isPointed?: boolean) => void;
  onDropped: ((order: number) => void) | undefined;
}

const medianOf = (times: readonly StageTime[], order: number): number | null => times.find((one) => one.to_order === order)?.median_s ?? null;

function Columns({ rows, times, before, changes, selected, worst, onSelect, onDropped }: ViewProps) {
  const [width, measure] = useWidth();
  const hasOpen = rows.some((row) => row.open > 0);
  return (
    <Scroller label={t.funnel.chart} className="hidden sm:flex" inside="px-5 pt-5">
      <div ref={measure} style={{ minWidth: rows.length * COLUMN_MIN_PX }}>
        <div role="img" aria-label={t.funnel.chartHelp} className="h-62 overflow-hidden">
          {width !== null && (
            <Loaded
              of={funnelChart}
              instead={<Skeleton className="h-full rounded-lg" />}
              with={{ width, rows, before, selected, onSelect: (order) => onSelect(order === selected ? null : order, true) }}
            />
          )}
        </div>
        <div className="mt-3 grid pb-3" style={{ gridTemplateColumns: `repeat(${rows.length}, minmax(0, 1fr))` }}>
          {rows.map((row) => {
            const next = rows[row.order];
            return (
              <div key={row.order} className="@container relative flex min-w-0">
                <StageButton row={row} selected={selected} onSelect={onSelect} className="-ml-2 flex flex-1 flex-col pr-3 pl-2">
                  <Name row={row} />
                  <span className={cn("mt-auto block pt-1.5", changes.size > 0 && "@max-[13rem]:pt-7")}>
                    <span title={count(row.users)} className="figures block text-xl font-semibold tracking-[-0.02em] text-ink">
                      {compactCount(row.users)}
                    </span>
                    <span title={exactPercent(row.conversion_rate)} className="figures block text-sm text-ink-soft">
                      {percent(row.conversion_rate)}
                    </span>
                    {before && (
                      <span className="block h-5 pt-0.5">
                        <BeforeText before={before.stages[row.order - 1]} order={row.order} />
                      </span>
                    )}
                    {hasOpen && (
                      <span className="flow-root h-5">
                        <Open row={row} entered={rows[0]?.users ?? 0} />
                      </span>
                    )}
                  </span>
                </StageButton>
                {next && (
                  <span className={cn("absolute right-3 flex flex-col items-end gap-1", ABOVE_LINES[Number(hasOpen) + Number(before !== null)])}>
                    <span className="flex flex-col items-end gap-1 @min-[13rem]:flex-row @min-[13rem]:items-center @min-[13rem]:gap-2">
                      <Changed delta={changes.get(next.order)} />
                      <Drop row={next} isWorst={next.order === worst} onDropped={onDropped} />
                    </span>
                    <Median seconds={medianOf(times, next.order)} />
                  </span>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </Scroller>
  );
}

function Rows({ rows, times, before, changes, selected, worst, onSelect, onDropped, className }: ViewProps & { className: string }) {
  const entered = rows[0]?.users ?? 0;
  return (
    <ol className={cn("flex flex-col px-2 py-3", className)}>
      {rows.map((row) => (
        <li key={row.order}>
          {row.order > 1 && (
            <span className={cn("ml-6 flex items-center gap-2 border-l", changes.has(row.order) && "max-sm:flex-wrap max-sm:gap-y-1", "border-line py-1 pl-3")}>
              <Drop row={row} isWorst={row.order === worst} onDropped={onDropped} />
              <Changed delta={changes.get(row.order)} />
              {changes.has(row.order) && <span aria-hidden className="basis-full sm:hidden" />}
              <span className="figures text-xs text-ink-faint">{lostText(row, compactCount)}</span>
              <Median seconds={medianOf(times, row.order)} />
            </span>
          )}
          <StageButton row={row} selected={selected} onSelect={onSelect} className="block w-full px-3">
            <span className="flex items-baseline justify-between gap-3">
              <Name row={row} />
              <span className="figures shrink-0 text-base font-semibold" title={count(row.users)}>
                {compactCount(row.users)}
              </span>
            </span>
            <span className="mt-1.5 flex items-center gap-3">
              <LyingBar row={row} entered={entered} before={before?.stages[row.order - 1]} />
              <span className="figures w-14 text-right text-sm text-ink-soft">{percent(row.conversion_rate)}</span>
            </span>
            <span className="flex items-baseline gap-3">
              <Open row={row} entered={entered} />
              <BeforeText before={before?.stages[row.order - 1]} order={row.order} className="mt-1 ml-auto" />
            </span>
          </StageButton>
        </li>
      ))}
    </ol>
  );
}

function LyingBar({ row, entered, before }: { row: StageRow; entered: number; before: StageBefore | undefined }) {
  return (
    <span className="relative h-5 flex-1">
      <span className="flex h-full overflow-hidden rounded bg-sunken">
        <span
          className="block h-full bg-linear-to-r from-(--bar-to) to-(--bar-from)"
          style={{ width: `${Math.max(share(row.users, entered), row.users > 0 ? 0.8 : 0)}%` }}
        />
        <span className="hatch block h-full" style={{ width: `${share(row.open, entered)}%` }} />
      </span>
      {before && <LineAcrossRow before={before} />}
    </span>
  );
}

interface ButtonProps {
  row: StageRow;
  selected: number | null;
  onSelect: (order: number | null, isPointed?: boolean) => void;
  className: string;
  children: ReactNode;
}

function StageButton({ row, selected, onSelect, className, children }: ButtonProps) {
  const isSelected = row.order === selected;
  return (
    <button
      type="button"
      data-order={row.order}
      aria-pressed={isSelected}
      onClick={() => onSelect(isSelected ? null : row.order, true)}
      className={cn("min-w-0 rounded-lg py-2 text-left transition-colors duration-150 hover:bg-hover", isSelected && "bg-accent-wash hover:bg-accent-wash", className)}
    >
      {children}
    </button>
  );
}

function Name({ row }: { row: StageRow }) {
  return (
    <span className="flex min-w-0 items-baseline gap-1.5">
      <span className="figures text-xs font-medium text-ink-faint">{row.order}</span>
      <span dir="auto" title={row.stage_name} className="stranger line-clamp-2 text-sm font-medium text-ink">
        {row.stage_name}
      </span>
    </span>
  );
}

/** Between which two rates the truth will lie once everybody's window has ended. */
function Open({ row, entered }: { row: StageRow; entered: number }) {
  if (row.open === 0 || entered === 0) return null;
  return (
    <span title={`${w.chart.openPeople(count(row.open))}. ${w.chart.openTitle}`} className="figures mt-0.5 flex items-center gap-1.5 text-xs text-ink-faint">
      <span aria-hidden className="hatch inline-block size-3 shrink-0 rounded-sm" />
      {w.chart.upTo(percent(Math.min(100, share(row.users + row.open, entered))))}
    </span>
  );
}

/** Those who cannot go on any more, and those who can. */
const lostText = (row: StageRow, text: (value: number) => string): string =>
  [t.funnel.metrics.lost(text(row.left)), ...(row.waiting > 0 ? [w.chart.openPeople(text(row.waiting))] : [])].join(", ");

function Median({ seconds }: { seconds: number | null }) {
  return seconds === null ? null : <span className="figures text-xs whitespace-nowrap text-ink-faint">{w.chart.median(duration(seconds))}</span>;
}

/** By how much more or fewer went on than in the days before; nothing where that may be chance. */
function Changed({ delta }: { delta: MetricDelta | undefined }) {
  if (!delta) return null;
  return (
    <span title={w.chart.changeTitle(delta.before)} className="figures relative text-xs whitespace-nowrap">
      <Delta delta={delta} isBare />
      <span className="sr-only">{`, ${w.chart.clearChange}`}</span>
    </span>
  );
}

function Drop({ row, isWorst, onDropped }: { row: StageRow; isWorst: boolean; onDropped: ((order: number) => void) | undefined }) {
  const look = cn(
    "figures rounded-md px-1.5 py-0.5 text-xs font-medium",
    isWorst ? "bg-danger-wash text-danger" : "bg-sunken text-ink-soft",
  );
  if (row.lost === 0) return <span className="figures text-sm text-ink-faint">{percent(0)}</span>;
  const text = `−${percent(row.drop_off_rate)}`;
  const title = lostText(row, count);
  if (!onDropped) {
    return (
      <span title={title} className={look}>
        {text}
      </span>
    );
  }
  return (
    <button
      type="button"
      title={title}
      aria-label={w.chart.dropped(count(row.lost), row.stage_name, percent(row.drop_off_rate))}
      onClick={() => onDropped(row.order)}
      className={cn(look, "hover:ring-1 hover:ring-current")}
    >
      {text}
    </button>
  );
}
