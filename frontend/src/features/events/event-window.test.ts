import { expect, test } from "vitest";
import {
  compareText,
  cursorAbove,
  cursorBelow,
  freshIn,
  isFromTop,
  rowKey,
  rowsOf,
  ROWS_MAX,
  startWith,
  withAbove,
  withBelow,
  withTop,
  type EventWindow,
  type LogPage,
  type LogRow,
  type Order,
} from "./event-window";

const row = (at: number): LogRow => ({ id: `e${at}`, created_at: `2026-11-20T09:00:00.${String(at).padStart(6, "0")}Z`, received_at: "r" });
const numberOf = (one: LogRow): number => Number(one.id.slice(1));

/** A log as the service answers: a cursor is a place and a direction. */
class Log {
  readonly held = new Set<number>();
  constructor(
    readonly order: Order,
    readonly size: number,
  ) {}
  private sorted(): number[] {
    return [...this.held].sort((one, two) => (this.order === "asc" ? one - two : two - one));
  }
  page(cursor: string | null): LogPage {
    const all = this.sorted();
    const [direction, at] = cursor?.split(" ") ?? ["next", null];
    const isBehind = (one: number): boolean => at === null || (this.order === "asc" ? one > Number(at) : one < Number(at));
    const isAhead = (one: number): boolean => (this.order === "asc" ? one < Number(at) : one > Number(at));
    const shown = direction === "next" ? all.filter(isBehind).slice(0, this.size) : all.filter(isAhead).slice(-this.size);
    const first = shown[0];
    const last = shown.at(-1);
    return {
      rows: shown.map(row),
      next: last !== undefined && all.at(-1) !== last ? `next ${last}` : null,
      prev: first !== undefined && all[0] !== first ? `prev ${first}` : null,
    };
  }
}

function scrolledToEnd(log: Log, window: EventWindow): EventWindow {
  let now = window;
  for (let cursor = cursorBelow(now); cursor !== null; cursor = cursorBelow(now)) now = withBelow(now, cursor, log.page(cursor));
  return now;
}

function scrolledToTop(log: Log, window: EventWindow): EventWindow {
  let now = window;
  for (let cursor = cursorAbove(now); cursor !== null; cursor = cursorAbove(now)) now = withAbove(now, cursor, log.page(cursor));
  return now;
}

const numbers = (window: EventWindow): number[] => rowsOf(window).map(numberOf);
const isGapless = (log: Log, window: EventWindow): boolean => {
  const shown = numbers(window);
  const between = [...log.held].filter((one) => one <= Math.max(...shown) && one >= Math.min(...shown));
  return new Set(shown).size === shown.length && between.every((one) => shown.includes(one));
};

test.each<Order>(["desc", "asc"])("a walk to the end and back shows every row once (%s)", (order) => {
  const log = new Log(order, 7);
  for (let at = 0; at < 100; at++) log.held.add(at);
  const end = scrolledToEnd(log, startWith(log.page(null), order));
  const all = Array.from({ length: 100 }, (_none, at) => at);
  expect(numbers(end)).toEqual(order === "asc" ? all : all.reverse());
  expect(cursorBelow(end)).toBeNull();
});

test("memory is bounded, and what was dropped comes back", () => {
  const log = new Log("desc", 100);
  for (let at = 0; at < 5_000; at++) log.held.add(at);
  const end = scrolledToEnd(log, startWith(log.page(null), "desc"));
  expect(rowsOf(end)).toHaveLength(ROWS_MAX);
  expect(numbers(end).at(-1)).toBe(0);
  expect(isFromTop(end)).toBe(false);
  const top = scrolledToTop(log, end);
  expect(rowsOf(top)).toHaveLength(ROWS_MAX);
  expect(numbers(top)[0]).toBe(4_999);
  expect(isGapless(log, top)).toBe(true);
  expect(numbers(scrolledToEnd(log, top)).at(-1)).toBe(0);
});

test("whatever arrives while somebody scrolls up and down, no row shows twice and none is left out", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let round = 0; round < 25; round++) {
    const log = new Log("desc", 5 + random(20));
    let newest = 1_000;
    for (let at = 0; at < 300; at++) log.held.add(random(newest));
    let window = startWith(log.page(null), "desc");
    for (let step = 0; step < 60; step++) {
      const arrive = random(4);
      // Some come late: they stand among those that were there.
      for (let at = 0; at < arrive; at++) log.held.add(random(8) === 0 ? random(newest) : newest++);
      const action = random(3);
      const below = cursorBelow(window);
      const above = cursorAbove(window);
      const known = new Set(log.held);
      if (action === 0) window = withTop(window, log.page(null));
      else if (action === 1 && below !== null) window = withBelow(window, below, log.page(below));
      else if (above !== null) window = withAbove(window, above, log.page(above));
      const shown = numbers(window);
      expect(new Set(shown).size).toBe(shown.length);
      expect([...shown].sort((one, two) => two - one)).toEqual(shown);
      expect(shown.every((one) => known.has(one))).toBe(true);
    }
    // A walk from the top misses nothing at all.
    const fresh = startWith(log.page(null), "desc");
    expect(isGapless(log, scrolledToEnd(log, fresh))).toBe(true);
  }
});

test("without late events the window has no hole at any moment", () => {
  const log = new Log("desc", 10);
  let newest = 0;
  for (; newest < 50; newest++) log.held.add(newest);
  let window = startWith(log.page(null), "desc");
  for (let step = 0; step < 200; step++) {
    for (let at = 0; at < step % 13; at++) log.held.add(newest++);
    const below = cursorBelow(window);
    if (step % 3 === 0 && below) window = withBelow(window, below, log.page(below));
    else window = withTop(window, log.page(null));
    expect(isGapless(log, window)).toBe(true);
  }
});

test("an answer to a cursor that is no longer the border is left out", () => {
  const log = new Log("desc", 10);
  for (let at = 0; at < 50; at++) log.held.add(at);
  const window = startWith(log.page(null), "desc");
  const late = log.page("next 20");
  expect(withBelow(window, "next 20", late)).toBe(window);
});

test("new rows are counted from the first one seen; a page of only new ones says at least", () => {
  const log = new Log("desc", 10);
  for (let at = 0; at < 20; at++) log.held.add(at);
  const newest = row(19);
  expect(freshIn(log.page(null), newest, "desc")).toEqual({ count: 0, isAtLeast: false });
  for (let at = 20; at < 23; at++) log.held.add(at);
  expect(freshIn(log.page(null), newest, "desc")).toEqual({ count: 3, isAtLeast: false });
  for (let at = 23; at < 60; at++) log.held.add(at);
  expect(freshIn(log.page(null), newest, "desc")).toEqual({ count: 10, isAtLeast: true });
});

test("texts sort by code points, as the service does", () => {
  const texts = ["a", "ab", "é", "\uffee", "😀", "😁"];
  expect([...texts].reverse().sort(compareText)).toEqual(texts);
});

test("an id that came again is another row", () => {
  const one = row(1);
  expect(rowKey(one)).not.toBe(rowKey({ ...one, received_at: "later" }));
});
