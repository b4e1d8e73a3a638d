import { count, percent } from "@/lib/format";
import { expect, test } from "vitest";
import { metricDelta, untoned } from "./deltas";

const up = { text: count };
const rate = { text: percent, isRate: true, better: "down" } as const;

test.each([
  [110, 100, up, { text: "+10.0%", direction: "up", isBetter: true, before: "100" }],
  [90, 100, up, { text: "−10.0%", direction: "down", isBetter: false, before: "100" }],
  [100, 100, up, { text: "±0%", direction: "same", isBetter: null, before: "100" }],
  [0, 4, up, { text: "−100.0%", direction: "down", isBetter: false, before: "4" }],
  [40, 42.5, rate, { text: "−2.5 pt", direction: "down", isBetter: true, before: "42.5%" }],
  [15.2, 15.21, rate, { text: "±0 pt", direction: "same", isBetter: null, before: "15.2%" }],
  [1, 0, rate, { text: "+1.0 pt", direction: "up", isBetter: false, before: "0%" }],
  [5, 4, { text: count, better: null }, { text: "+25.0%", direction: "up", isBetter: null, before: "4" }],
])("%d after %d", (now, before, options, delta) => expect(metricDelta(now, before, options)).toEqual(delta));

test("of nothing before there is no percentage, and of unknown numbers no delta", () => {
  expect(metricDelta(5, 0, up)).toBeNull();
  expect(metricDelta(null, 5, up)).toBeNull();
  expect(metricDelta(5, undefined, up)).toBeNull();
});

test("of rates the exact difference counts, not that of what is shown", () => {
  expect(metricDelta(4.16, 4.44, rate)?.text).toBe("−0.3 pt");
});

test("while a part of the range is not over, a change is neither good nor bad", () => {
  const fewer = metricDelta(90, 100, up);
  expect(untoned(fewer, [{ is_incomplete: false }])).toEqual(fewer);
  expect(untoned(fewer, [{ is_incomplete: false }, { is_incomplete: true }])).toEqual({ ...fewer, isBetter: null });
  expect(untoned(null, [{ is_incomplete: true }])).toBeNull();
});
