import { expect, test } from "vitest";
import type { TrendsAnswer, TrendsTotal } from "./queries";
import { drawnSeries, LINES_MAX, linesOf, marksOf, rowsOf } from "./trend-lines";

const total = (value: number | null, over: Partial<TrendsTotal> = {}): TrendsTotal => ({ value, events: value, source: "raw", is_exact: true, ...over });
const line = (values: readonly (number | null)[], sum: number, over: Partial<TrendsTotal> = {}) => ({
  total: total(sum, over),
  buckets: values.map((value, at) => ({ ...total(value), date: `2026-11-0${at + 1}`, is_incomplete: at === values.length - 1 })),
});
const series = (name: string, values: readonly number[], sum: number, over: object = {}) => ({ name, event_type: name, measure: "events" as const, property: null, ...line(values, sum), ...over });

function answer(over: object): TrendsAnswer {
  const buckets = [1, 2].map((n) => ({ date: `2026-11-0${n}`, from: "", to: "", is_incomplete: n === 2 }));
  return { report: "trends", interval: "day", buckets, series: [], formulas: [], data_from: null, ...over } as unknown as TrendsAnswer;
}

const GROUPED = series("buy", [3, 4], 7, {
  groups: [
    { group: "value", group_value: "(other)", ...line([2, 2], 4) },
    { group: "other", group_value: null, ...line([1, 1], 2) },
    { group: "none", group_value: null, ...line([0, 1], 1) },
  ],
});

test("groups stand in the place of their series; a value called like our word keeps its own key", () => {
  const lines = linesOf(answer({ series: [GROUPED] }));
  expect(lines.map((one) => one.name)).toEqual(["(other)", "(other)", "(not set)"]);
  expect(new Set(lines.map((one) => one.key)).size).toBe(3);
  expect(lines.map((one) => one.stack)).toEqual(["s0", "s0", "s0"]);
  const people = linesOf(answer({ series: [{ ...GROUPED, measure: "people" }] }));
  expect(people.every((one) => one.stack === null)).toBe(true);
});

test("totals are compared line by line, and an open bucket is no part of the course", () => {
  const compare = { series: [series("a", [1, 1], 2)], formulas: [] };
  const [row] = rowsOf(answer({ series: [series("a", [2, 0], 3)], compare }));
  expect(row).toMatchObject({ before: 2, course: [2], badges: [] });
  expect(row?.delta).toMatchObject({ text: "+50.0%", isBetter: null, direction: "up" });
});

test("at most so many lines are drawn, each with its days before", () => {
  const many = answer({ series: Array.from({ length: 20 }, (_none, n) => series(`e${n}`, [n, n], n)) });
  expect(drawnSeries(linesOf(many), [], "line")).toHaveLength(LINES_MAX);
  const [now, before] = drawnSeries(linesOf(answer({ series: [series("a", [1, 2], 3)] })), linesOf({ series: [series("a", [9], 9)], formulas: [] }), "line");
  expect(now?.values).toEqual([1, 2]);
  expect(before).toMatchObject({ isBefore: true, values: [9, null], color: 0 });
});

test("units are said where they differ", () => {
  const lines = linesOf(answer({ series: [series("a", [1, 2], 3), series("b", [1, 2], 3, { measure: "people" })] }));
  expect(drawnSeries(lines, [], "line").map((one) => one.format?.(2))).toEqual(["2 events", "2 people"]);
});

test.each<[string, object, string[]]>([
  ["exact", {}, []],
  ["a sample", { events_scaled: 1234 }, ["1,234"]],
  ["daily counts", { source: "rollup", is_exact: false }, ["daily counts are used", "first raw event", "more than once"]],
  ["removed days", { source: "removed" }, ["show what is left", "first raw event"]],
])("marks of %s", (_name, over, said) => {
  const marks = marksOf(answer({ series: [{ ...series("a", [1, 2], 3), ...line([1, 2], 3, over) }], data_from: "2026-11-01" }), (iso) => iso);
  expect(marks).toHaveLength(said.length);
  said.forEach((words, at) => expect(marks[at]).toContain(words));
});
