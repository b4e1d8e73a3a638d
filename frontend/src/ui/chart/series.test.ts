import { expect, test } from "vitest";
import { shown, spread, valueTicks, type Series } from "./series";

test.each<[number[], number[]]>([
  [[], []],
  [[50], [50]],
  [[10, 50], [10, 50]],
  [[50, 50], [50, 60]],
  [[52, 50, 48], [68, 58, 48]],
  [[95, 96, 97], [80, 90, 100]],
  [[-5, 120], [0, 100]],
])("labels at %j", (wanted, placed) => expect(spread(wanted, 10, 0, 100)).toEqual(placed));

test("a gap of a series is a dash, and its own format counts", () => {
  const format = (value: number): string => `${value}`;
  const one = { key: "a", name: "a", values: [1, null], color: 0 };
  expect([shown(one, 0, format), shown(one, 1, format), shown(one, 2, format)]).toEqual(["1", "–", "–"]);
  expect(shown({ ...one, format: (value) => `${value}%` }, 0, format)).toBe("1%");
});

const seriesOf = (values: (number | null)[], over: Partial<Series> = {}): Series => ({ key: values.join(), name: "", values, color: 0, ...over });

test.each<[string, Series[], boolean, { allowDecimals: boolean; tickCount: number }]>([
  ["one event", [seriesOf([0, 1, null])], false, { allowDecimals: false, tickCount: 2 }],
  ["no event", [seriesOf([0, 0])], false, { allowDecimals: false, tickCount: 2 }],
  ["three people", [seriesOf([3, 1]), seriesOf([2, 2])], false, { allowDecimals: false, tickCount: 4 }],
  ["many", [seriesOf([1200, 7])], true, { allowDecimals: false, tickCount: 5 }],
  ["a stack", [seriesOf([1, 0], { stack: "all" }), seriesOf([1, 1], { stack: "all" })], true, { allowDecimals: false, tickCount: 3 }],
  ["an average", [seriesOf([1, 2]), seriesOf([0.5])], false, { allowDecimals: true, tickCount: 5 }],
])("ticks of %s", (_what, series, isStacked, ticks) => expect(valueTicks(series, isStacked)).toEqual(ticks));
