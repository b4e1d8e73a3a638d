/**
 * The part of the event log that a table holds: neighbouring pages between two cursors, bounded, in the order of the
 * service. Pages are put above and below; the first page is asked for again while events arrive.
 */

export interface LogRow {
  id: string;
  created_at: string;
  received_at: string;
  [field: string]: unknown;
}

export type Order = "desc" | "asc";

export interface LogPage {
  rows: readonly LogRow[];
  /** Where the page behind this one begins; null on the last. */
  next: string | null;
  /** Where the page before this one ends; null on the first; unknown of a page that lost its first rows. */
  prev: string | null | undefined;
}

export interface EventWindow {
  pages: readonly LogPage[];
  order: Order;
}

export const ROWS_MAX = 2_000;

export const rowKey = (row: LogRow): string => `${row.created_at} ${row.received_at} ${row.id}`;

/** By code points, as UTF-8 sorts: JavaScript's own comparison sorts emoji before some letters. */
export function compareText(one: string, two: string): number {
  let at = 0;
  while (at < one.length && at < two.length) {
    const left = one.codePointAt(at) ?? 0;
    const right = two.codePointAt(at) ?? 0;
    if (left !== right) return left - right;
    at += left > 0xffff ? 2 : 1;
  }
  return one.length - two.length;
}

function compareRows(one: LogRow, two: LogRow): number {
  return compareText(one.created_at, two.created_at) || compareText(one.id, two.id) || compareText(one.received_at, two.received_at);
}

/** Whether a row stands before another one. */
export const isBefore = (one: LogRow, two: LogRow, order: Order): boolean => (order === "asc" ? compareRows(one, two) < 0 : compareRows(one, two) > 0);

export const startWith = (page: LogPage, order: Order): EventWindow => ({ pages: [page], order });
export const rowsOf = (window: EventWindow): LogRow[] => window.pages.flatMap((page) => page.rows);
export const isFromTop = (window: EventWindow): boolean => window.pages[0]?.prev === null;
export const cursorBelow = (window: EventWindow): string | null => window.pages.at(-1)?.next ?? null;
export const cursorAbove = (window: EventWindow): string | null => window.pages[0]?.prev ?? null;

/** The page that the cursor below led to. An answer that came too late for the window is left out. */
export function withBelow(window: EventWindow, cursor: string, page: LogPage): EventWindow {
  if (cursorBelow(window) !== cursor) return window;
  return { ...window, pages: cutAbove([...window.pages, page]) };
}

export function withAbove(window: EventWindow, cursor: string, page: LogPage): EventWindow {
  if (cursorAbove(window) !== cursor) return window;
  // Nothing is before the window after all: what is held begins at the top.
  if (page.rows.length === 0) return { ...window, pages: window.pages.map((one, at) => (at === 0 ? { ...one, prev: null } : one)) };
  return { ...window, pages: cutBelow([page, ...window.pages]) };
}

/**
 * The first page, asked for anew, in place of what it covers. When it has no row in common with the window, too many
 * events came meanwhile, and the window begins anew.
 */
export function withTop(window: EventWindow, page: LogPage): EventWindow {
  const last = page.rows.at(-1);
  const first = rowsOf(window)[0];
  const isJoined = last !== undefined && first !== undefined && !isBefore(last, first, window.order);
  if (page.next === null || last === undefined || !isFromTop(window) || !isJoined) return startWith(page, window.order);
  const rest = window.pages.flatMap((one): LogPage[] => {
    const left = one.rows.filter((row) => isBefore(last, row, window.order));
    if (left.length === 0) return [];
    return left.length === one.rows.length ? [one] : [{ ...one, rows: left, prev: undefined }];
  });
  return { ...window, pages: cutBelow([page, ...rest]) };
}

/** How many rows of the first page stand before the first row that was seen there; all of them: at least so many. */
export function freshIn(page: LogPage, newest: LogRow | null, order: Order): { count: number; isAtLeast: boolean } {
  const fresh = newest === null ? page.rows : page.rows.filter((row) => isBefore(row, newest, order));
  return { count: fresh.length, isAtLeast: page.next !== null && fresh.length === page.rows.length };
}

const rowCount = (pages: readonly LogPage[]): number => pages.reduce((sum, page) => sum + page.rows.length, 0);

function cutBelow(pages: LogPage[]): LogPage[] {
  const kept = [...pages];
  while (kept.length > 2 && rowCount(kept) > ROWS_MAX) kept.pop();
  return kept;
}

/** Only a page that knows what is before it may become the first one. */
function cutAbove(pages: LogPage[]): LogPage[] {
  const kept = [...pages];
  while (kept.length > 2 && rowCount(kept) > ROWS_MAX) {
    const next = kept.findIndex((page, at) => at > 0 && typeof page.prev === "string");
    if (next === -1 || next > kept.length - 2) break;
    kept.splice(0, next);
  }
  return kept;
}
