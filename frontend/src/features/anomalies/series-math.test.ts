import type { JudgedSeries } from "@/api/types";
import { count } from "@/lib/format";
import { shown } from "@/ui/chart/series";
import { expect, test } from "vitest";
import { chartOf, ordered } from "./series-math";

const bucket = (day: number, over: object = {}) => ({ bucket: `2026-10-${day}`, value: 78, expected: 22.5, low: 4, high: 56, score: 5.9, is_anomaly: true, is_incomplete: false, ...over });

test("a day is shown with the range in which it would not have been flagged", () => {
  const buckets = [bucket(20), bucket(21, { expected: null, low: null, high: null, score: null, is_anomaly: false })];
  const series = { event_type: "payment_failed", is_judged: true, text: null, buckets } as JudgedSeries;
  const { lines, notes } = chartOf(series, [{ event_type: "payment_failed", bucket: "2026-10-20", text: "it rose" }], []);
  const [, expected] = lines;
  expect(expected?.band).toEqual([[4, 56], null]);
  expect(expected && [0, 1].map((at) => shown(expected, at, count))).toEqual(["22.5 (4 – 56)", "–"]);
  expect(notes).toEqual([{ at: 0, text: "it rose" }]);
});

test("a day without any data is a gap with a note, not a fall to zero", () => {
  const buckets = [bucket(20), bucket(21, { value: 0, expected: null, low: null, high: null, score: null, is_anomaly: false })];
  const series = { event_type: "purchase", is_judged: true, text: null, buckets } as JudgedSeries;
  const { lines, notes } = chartOf(series, [], [{ bucket: "2026-10-21", text: "No data arrived on 21 October 2026" }]);
  expect(lines[0]?.values).toEqual([78, null]);
  expect(notes).toEqual([{ at: 1, text: "No data arrived on 21 October 2026" }]);
});

test("types with an unusual day come first, the others stay in their order", () => {
  const all = ["*", "view", "purchase", "refund"].map((event_type) => ({ event_type }) as JudgedSeries);
  expect(ordered(all, [{ event_type: "refund" }, { event_type: "purchase" }]).map((one) => one.event_type)).toEqual(["purchase", "refund", "*", "view"]);
});
