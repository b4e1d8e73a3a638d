import { compactCount, count, exactPercent, percent } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { useWidth } from "@/lib/use-width";
import { Skeleton } from "@/ui/skeleton";
import { lazy, Suspense, useRef, type KeyboardEvent, type ReactNode } from "react";
import { biggestDrop, neighbour, type StageRow } from "./funnel-math";

const FunnelChart = lazy(() => import("./funnel-chart"));

const COLUMN_MIN_PX = 136;

interface Props {
  rows: readonly StageRow[];
  selected: number | null;
  onSelect: (order: number | null) => void;
}

/** The picture with its labels: columns on wide screens, rows on a phone. Each stage is a button; arrows move between them. */
export function StageColumns({ rows, selected, onSelect }: Props) {
  const [width, measure] = useWidth();
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
  return (
    <div ref={group} onKeyDown={onKeyDown} role="group" aria-label={t.funnel.chart}>
      <div className="hidden overflow-x-auto px-5 pt-5 sm:block">
        <div ref={measure} style={{ minWidth: rows.length * COLUMN_MIN_PX }}>
          <div role="img" aria-label={t.funnel.chartHelp} className="h-62 overflow-hidden">
            <Suspense fallback={<Skeleton className="h-full rounded-lg" />}>
              {width !== null && (
                <FunnelChart width={width} rows={rows} selected={selected} onSelect={(order) => onSelect(order === selected ? null : order)} />
              )}
            </Suspense>
          </div>
          <div className="mt-3 grid pb-4" style={{ gridTemplateColumns: `repeat(${rows.length}, minmax(0, 1fr))` }}>
            {rows.map((row) => (
              <StageButton key={row.order} row={row} selected={selected} onSelect={onSelect} className="-ml-2 flex flex-col pr-3 pl-2">
                <Label row={row} next={rows[row.order]} worst={worst} />
              </StageButton>
            ))}
          </div>
        </div>
      </div>
      <ol className="flex flex-col px-2 py-3 sm:hidden">
        {rows.map((row) => (
          <li key={row.order}>
            {row.order > 1 && <DropRow row={row} isWorst={row.order === worst} />}
            <StageButton row={row} selected={selected} onSelect={onSelect} className="block w-full px-3">
              <span className="flex items-baseline justify-between gap-3">
                <Name row={row} />
                <span className="figures shrink-0 text-base font-semibold" title={count(row.users)}>
                  {compactCount(row.users)}
                </span>
              </span>
              <span className="mt-1.5 flex items-center gap-3">
                <span className="h-5 flex-1 overflow-hidden rounded bg-sunken">
                  <span
                    className="block h-full rounded bg-linear-to-r from-(--bar-to) to-(--bar-from)"
                    style={{ width: `${Math.max(row.conversion_rate, row.users > 0 ? 0.8 : 0)}%` }}
                  />
                </span>
                <span className="figures w-14 text-right text-sm text-ink-soft">{percent(row.conversion_rate)}</span>
              </span>
            </StageButton>
          </li>
        ))}
      </ol>
    </div>
  );
}

interface ButtonProps {
  row: StageRow;
  selected: number | null;
  onSelect: (order: number | null) => void;
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
      onClick={() => onSelect(isSelected ? null : row.order)}
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

function Label({ row, next, worst }: { row: StageRow; next: StageRow | undefined; worst: number | undefined }) {
  return (
    <span className="flex w-full flex-1 flex-col justify-between">
      <Name row={row} />
      <span className="mt-1.5 flex flex-wrap items-end justify-between gap-x-2 gap-y-1">
        <span>
          <span title={count(row.users)} className="figures block text-xl font-semibold tracking-[-0.02em] text-ink">
            {compactCount(row.users)}
          </span>
          <span title={exactPercent(row.conversion_rate)} className="figures block text-sm text-ink-soft">
            {percent(row.conversion_rate)}
          </span>
        </span>
        {next && <Drop row={next} isWorst={next.order === worst} />}
      </span>
    </span>
  );
}

function Drop({ row, isWorst }: { row: StageRow; isWorst: boolean }) {
  if (row.lost === 0) return <span className="figures text-sm text-ink-faint">{percent(0)}</span>;
  return (
    <span
      title={t.funnel.metrics.lost(count(row.lost))}
      className={cn(
        "figures rounded-md px-1.5 py-0.5 text-xs font-medium",
        isWorst ? "bg-danger-wash text-danger" : "bg-sunken text-ink-soft",
      )}
    >
      {`−${percent(row.drop_off_rate)}`}
    </span>
  );
}

function DropRow({ row, isWorst }: { row: StageRow; isWorst: boolean }) {
  return (
    <span className="ml-6 flex items-center gap-2 border-l border-line py-1 pl-3">
      <Drop row={row} isWorst={isWorst} />
      <span className="figures text-xs text-ink-faint">{t.funnel.metrics.lost(compactCount(row.lost))}</span>
    </span>
  );
}
