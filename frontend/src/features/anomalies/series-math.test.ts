import type { JudgedSeries } from "@/api/types";
import { count } from "@/lib/format";
import { shown } from "@/ui/chart/series";
import { expect, test } from "vitest";
import { chartOf } from "./series-math";

const bucket = (day: number, over: object = {}) => ({ bucket: `2026-10-${day}`, value: 78, expected: 22.5, low: 4, high: 56, score: 5.9, is_anomaly: true, is_incomplete: false, ...over });

test("a day is shown with the range in which it would not have been flagged", () => {
  const buckets = [bucket(20), bucket(21, { expected: null, low: null, high: null, score: null, is_anomaly: false })];
  const series = { event_type: "payment_failed", is_judged: true, text: null, buckets } as JudgedSeries;
  const { lines, notes } = chartOf(series, [{ event_type: "payment_failed", bucket: "2026-10-20", text: "it rose" }]);
  const [, expected] = lines;
  expect(expected?.band).toEqual([[4, 56], null]);
  expect(expected && [0, 1].map((at) => shown(expected, at, count))).toEqual(["22.5 (4 – 56)", "–"]);
  expect(notes).toEqual([{ at: 0, text: "it rose" }]);
});
