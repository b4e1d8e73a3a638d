import { cn } from "@/lib/class-names";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { useExtent } from "./scroller";
import { SortButton } from "./sort-button";

export interface Column<Row> {
  key: string;
  head: string;
  cell: (row: Row) => ReactNode;
  /** A track of CSS grid: "minmax(12rem,1fr)", "8rem". */
  width: string;
  isNumber?: boolean;
  isSortable?: boolean;
  /** The first column, where it holds names: it stays while the others scroll sideways. */
  stays?: boolean;
}

export interface Sort {
  key: string;
  isDescending: boolean;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Called by click and by Enter on a row. */
  onOpen?: (row: Row) => void;
  openKey?: string | null;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** Called when the last rows come into view and there may be more. */
  onEnd?: () => void;
  /** Called when the first rows come into view and there may be rows before them. */
  onStart?: () => void;
  /** Told when the first row comes into view or leaves it. */
  onTop?: (isAtTop: boolean) => void;
  /** Rows put before those in view do not move them: what is read stays where it is. */
  keepsPlace?: boolean;
  isDimmed?: boolean;
  height?: string;
  empty?: ReactNode;
  foot?: ReactNode;
}

const ROW_PX = 40;
const NEAR_END = 10;

/** Many rows of equal height: only those in view are in the page. Arrows move between rows, Enter opens one. */
export function DataTable<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, onOpen, openKey = null, sort, onSort, onEnd, onStart, onTop, keepsPlace = false, isDimmed = false, height = "max-h-[70dvh]", empty, foot } = props;
  const box = useRef<HTMLDivElement>(null);
  const { extent, measure, box: follow } = useExtent();
  const frame = useCallback(
    (element: HTMLDivElement | null) => {
      box.current = element;
      return follow(element);
    },
    [follow],
  );
  // One stop in the tab order; arrows move it.
  const [current, setCurrent] = useState<string | null>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 12, initialRect: { width: 1200, height: 800 } });
  const items = virtual.getVirtualItems();
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(" ") };
  const place = usePlace(box, rows, rowKey, keepsPlace);
  const onScroll = (): void => {
    place.remember();
    measure();
    const top = box.current?.scrollTop ?? 0;
    onTop?.(top < ROW_PX / 2);
    const last = items.at(-1)?.index ?? 0;
    if (onEnd && last >= rows.length - NEAR_END) onEnd();
    if (onStart && top < NEAR_END * ROW_PX) onStart();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>, index: number): void => {
    const row = rows[index];
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter" && row) {
      event.preventDefault();
      onOpen?.(row);
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : index + step;
    const target = rows[next];
    if (next === index || target === undefined) return;
    event.preventDefault();
    setCurrent(rowKey(target));
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
  };
  const shownKeys = items.map((item) => rows[item.index]).filter((row) => row !== undefined).map(rowKey);
  const stop = current !== null && shownKeys.includes(current) ? current : shownKeys[0];
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  return (
    <div className={cn("scroll-edges flex flex-col", height)} data-more={extent.more}>
      <div ref={frame} role="table" aria-label={label} aria-rowcount={rows.length + 1} aria-busy={isDimmed || undefined} className={cn("min-h-0 overflow-auto transition-opacity duration-150", isDimmed && "opacity-55")} onScroll={onScroll} tabIndex={onOpen ? undefined : 0}>
        <div className="min-w-min">
          <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-sunken text-xs text-ink-soft">
            <div role="row" aria-rowindex={1} className="grid bg-sunken" style={template}>
              {columns.map((column) => (
                <Head key={column.key} column={column} {...(sort && { sort })} {...(onSort && { onSort })} />
              ))}
            </div>
          </div>
          <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows[item.index];
              if (row === undefined) return null;
              const key = rowKey(row);
              const isStop = key === stop;
              return (
                <div
                  key={key}
                  role="row"
                  aria-rowindex={item.index + 2}
                  data-index={item.index}
                  tabIndex={onOpen ? (isStop ? 0 : -1) : undefined}
                  onFocus={() => setCurrent(key)}
                  onKeyDown={(event) => onKeyDown(event, item.index)}
                  {...(onOpen && { onClick: () => onOpen(row) })}
                  className={cn(
                    "absolute inset-x-0 top-0 grid h-10 items-center border-b border-line bg-surface text-sm -outline-offset-2",
                    onOpen && "cursor-pointer hover:bg-hover",
                    key === openKey && "bg-accent-wash",
                  )}
                  style={{ ...template, transform: `translateY(${item.start}px)` }}
                >
                  {columns.map((column) => (
                    <div key={column.key} role="cell" className={cn("min-w-0 px-3", column.stays ? "stays flex h-full items-center" : "truncate", column.isNumber && "figures text-right")}>
                      {column.stays ? <div className="min-w-0 truncate">{column.cell(row)}</div> : column.cell(row)}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
          {foot}
        </div>
      </div>
    </div>
  );
}

/** Remembers the first row in view, and scrolls back to it when rows came or went above it. */
function usePlace<Row>(box: RefObject<HTMLDivElement | null>, rows: readonly Row[], rowKey: (row: Row) => string, isKept: boolean): { remember: () => void } {
  const first = useRef<{ key: string; index: number } | null>(null);
  const remember = (): void => {
    const index = Math.floor((box.current?.scrollTop ?? 0) / ROW_PX);
    const row = rows[index];
    first.current = row === undefined ? null : { key: rowKey(row), index };
  };
  useLayoutEffect(() => {
    const was = first.current;
    // Who looks at the top wants to see what comes in there.
    if (!isKept || was === null || !box.current || box.current.scrollTop < ROW_PX / 2) return;
    const index = rows.findIndex((row) => rowKey(row) === was.key);
    if (index === -1 || index === was.index) return;
    box.current.scrollBy({ top: (index - was.index) * ROW_PX, behavior: "instant" });
    first.current = { key: was.key, index };
    // Only other rows move the place; a new function for their keys does not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [rows]);
  return { remember };
}

function Head<Row>({ column, sort, onSort }: { column: Column<Row>; sort?: Sort; onSort?: (sort: Sort) => void }) {
  const isSorted = sort?.key === column.key;
  const way = !isSorted ? null : sort.isDescending ? "descending" : "ascending";
  return (
    <div role="columnheader" aria-sort={way ?? undefined} className={cn("min-w-0 px-3 py-2 font-medium", column.stays && "stays", column.isNumber && "text-right")}>
      {column.isSortable && onSort ? (
        <SortButton head={column.head} way={way} isNumber={column.isNumber ?? false} onClick={() => onSort({ key: column.key, isDescending: isSorted ? !sort.isDescending : true })} />
      ) : (
        <span className="truncate">{column.head}</span>
      )}
    </div>
  );
}
