import type { LiveItem, LiveResult } from "@/api/live";
import { expect, test } from "vitest";
import { emptyStore, HELD_MAX, OUTCOMES, rateOf, rowsShown, SPAN_MS, SPANS, total, withNews } from "./live-store";

const item = (result: LiveResult, id: string, over: Partial<LiveItem> = {}): LiveItem => ({ result, event_id: id, received_at: "2026-11-20T09:00:00.000000Z", ...over });
const news = (...items: LiveItem[]) => ({ items, skipped: 0, hasGap: false });
const NOW = 1_000_000_000_000;

test("memory is bounded, and no flood of stored events pushes out the one that was refused", () => {
  let store = withNews(emptyStore(NOW), news(item("rejected", "bad")), NOW);
  for (let step = 0; step < 30; step++) {
    store = withNews(store, news(...Array.from({ length: 100 }, (_none, at) => item("stored", `s${step}-${at}`))), NOW + step);
  }
  expect(rowsShown(store, null)).toHaveLength(HELD_MAX);
  expect(rowsShown(store, null)[0]?.event_id).toBe("s29-99");
  expect(rowsShown(store, "rejected").map((row) => row.event_id)).toEqual(["bad"]);
  expect(store.counts).toMatchObject({ stored: 3_000, rejected: 1 });
  expect(OUTCOMES.reduce((sum, one) => sum + store.held[one].length, 0)).toBe(HELD_MAX + 1);
});

test("an item that stands for several counts as several", () => {
  const store = withNews(emptyStore(NOW), news(item("sampled_out", "x", { count: 40 }), item("stored", "y")), NOW);
  expect(store.counts).toMatchObject({ sampled_out: 40, stored: 1 });
  expect(total(store.counts)).toBe(41);
  expect(rowsShown(store, null)).toHaveLength(2);
});

test("what was not told is said", () => {
  const store = withNews(withNews(emptyStore(NOW), { items: [], skipped: 7, hasGap: false }, NOW), { items: [], skipped: 0, hasGap: true }, NOW);
  expect(store).toMatchObject({ skipped: 7, hasGap: true });
  expect(store.spans.size).toBe(0);
});

test("the rate covers the last minutes and forgets what is before them", () => {
  let store = emptyStore(NOW);
  for (let span = 0; span < 200; span++) store = withNews(store, news(item("bot", `b${span}`)), NOW + span * SPAN_MS);
  expect(store.spans.size).toBeLessThanOrEqual(SPANS);
  const rate = rateOf(store, NOW + 199 * SPAN_MS);
  expect(rate).toHaveLength(SPANS);
  expect(rate.map((one) => one.counts?.bot)).toEqual(Array.from({ length: SPANS }, () => 1));
  expect(rateOf(store, NOW + 204 * SPAN_MS).slice(-5).map((one) => one.counts && total(one.counts))).toEqual([0, 0, 0, 0, 0]);
});

test("the rate says nothing of the time before this page looked", () => {
  const since = NOW + 2_000;
  const known = rateOf(withNews(emptyStore(since), news(item("stored", "a")), since), since + 2 * SPAN_MS).map((one) => one.counts && total(one.counts));
  expect(known).toEqual([...Array.from({ length: SPANS - 3 }, () => null), 1, 0, 0]);
  expect(rateOf(emptyStore(NOW + SPAN_MS), NOW).at(-1)?.counts).not.toBeNull();
});

test("an outcome of a newer server is shown among the refused", () => {
  const store = withNews(emptyStore(NOW), news(item("held_back" as LiveResult, "n")), NOW);
  expect(rowsShown(store, "rejected").map((row) => row.event_id)).toEqual(["n"]);
});
