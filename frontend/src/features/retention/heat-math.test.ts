import { expect, test } from "vitest";
import { averageWords, cellWords, curvesOf, hasBegun, mostOf, shadeOf } from "./heat-math";
import type { Matrix, RetentionAnswer } from "./queries";
import type { Interval } from "./retention-state";

const cell = (n: number, people: number, percent: number, is_open = false) => ({ n, people, percent, is_open });
const cohort = { bucket: "2026-11-16", from: "2026-11-16T00:00:00Z", to: "2026-11-17T00:00:00Z", size: 8, cells: [cell(0, 8, 100), cell(1, 3, 37.5), cell(2, 1, 12.5, true)] };
const matrix: Matrix = { people: 8, cohorts: [cohort], averages: [{ n: 0, cohorts: 1, size: 8, people: 8, percent: 100 }, { n: 1, cohorts: 1, size: 8, people: 3, percent: 37.5 }, { n: 2, cohorts: 0, size: 0, people: 0, percent: 0 }] };

test.each([
  [0, 40, 0],
  [40, 40, 64],
  [80, 40, 64],
  [20, 40, 35],
  [0.01, 40, 6],
  [5, 0, 0],
])("%d of at most %d is shaded %d", (share, most, shade) => expect(shadeOf(share, most)).toBe(shade));

test("the start's own period does not drown the others", () => expect(mostOf(matrix)).toBe(37.5));

test.each<[Interval, number, string]>([
  ["day", 0, "on the same day"],
  ["day", 1, "1 day later"],
  ["week", 2, "2 weeks later"],
  ["month", 1, "1 month later"],
])("a cell by %s, period %d, in words", (interval, n, said) => {
  const at = cohort.cells[n] ?? cell(0, 0, 0);
  const told = cellWords(cohort, at, { interval, back: "<b>", isOnOrAfter: false });
  expect(told.lines[0]).toBe(`${at.people} of 8 people (${at.percent === 100 ? "100" : at.percent.toFixed(1)}%) came back with <b> ${said}.`);
  expect(told.lines).toHaveLength(at.is_open ? 2 : 1);
});

test("on or after, and averages, say so", () => {
  const told = { interval: "day" as const, back: "any event", isOnOrAfter: true };
  expect(cellWords(cohort, cell(1, 3, 37.5), told).lines[0]).toContain("1 day later or after that.");
  expect(averageWords({ n: 1, cohorts: 1, size: 8, people: 3, percent: 37.5 }, told).title).toBe("Average of 1 cohort");
});

test.each<[Interval, number, string, boolean]>([
  ["day", 2, "2026-11-17T23:59:59Z", false],
  ["day", 2, "2026-11-18T00:00:00Z", true],
  ["week", 1, "2026-11-22T23:59:59Z", false],
  ["week", 1, "2026-11-23T00:00:00Z", true],
  ["month", 1, "2026-12-15T00:00:00Z", false],
  ["month", 1, "2026-12-16T00:00:00Z", true],
])("by %s, period %d has begun at %s: %s", (interval, n, asOf, has) => expect(hasBegun(cohort, n, interval, asOf)).toBe(has));

test("curves are averages; a period that is over for nobody is a gap", () => {
  const answer = { ...matrix, periods: 2, interval: "day" } as unknown as RetentionAnswer;
  expect(curvesOf(answer).map((one) => one.values)).toEqual([[100, 37.5, null]]);
  const grouped = { ...answer, breakdown: { property: "plan", limit: 2, groups: [{ group: "value", value: "pro", ...matrix }, { group: "none", value: null, ...matrix }] } } as unknown as RetentionAnswer;
  expect(curvesOf(grouped).map((one) => [one.name, one.color])).toEqual([["pro", 0], ["(not set)", 1]]);
});
