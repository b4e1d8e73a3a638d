import type { FrameQuestion } from "@/features/report/use-report-frame";
import { expect, test } from "vitest";
import { EMPTY, isFormula, letterOf, newSeries, questionOf, readTrends, seriesTitle, withoutSeries, writeTrends, type TrendsChoice } from "./trend-state";

const FULL: TrendsChoice = {
  series: [
    { event: "signup", measure: "people", property: "", name: "שלום", filters: [{ property: "plan", op: "eq", value: "<b>" }] },
    { event: "purchase", measure: "p90", property: "total", name: "", filters: [] },
    { event: "/docs/**", measure: "events", property: "", name: "", filters: [] },
  ],
  formulas: [{ expression: "A / C", name: "" }, { expression: "B - 1", name: "less" }],
  groups: { property: "country", limit: 5 },
  interval: "week",
  kind: "bar",
};
const FRAME: FrameQuestion = { project_id: "p1", filters: [], exclude_bots: false, include: [] };

test("what the address was given it gives back, and the first question needs no words", () => {
  expect(readTrends(writeTrends(new URLSearchParams("range=7d"), FULL))).toEqual(FULL);
  expect(writeTrends(new URLSearchParams("range=7d&q=x"), EMPTY).toString()).toBe("range=7d");
  expect(readTrends(new URLSearchParams())).toEqual(EMPTY);
});

test.each<[string, Partial<TrendsChoice>]>([
  ["{", EMPTY],
  ["5", { series: [] }],
  ['{"s":[]}', { series: [] }],
  ['{"s":[{"e":5},{"m":"people"},null,{"e":"a","m":"toString","f":[{},{"property":"p","op":"exists"}]}],"i":"year","k":"pie","b":["",3],"x":[{"x":""}]}',
    { series: [{ ...newSeries(), event: "a", filters: [{ property: "p", op: "exists" }] }], interval: null, kind: "line", groups: null, formulas: [] }],
  ['{"s":[{"e":"a"}],"b":["plan",1e9]}', { groups: { property: "plan", limit: 100 } }],
  ['{"s":[{"e":"a"}],"b":["plan","x"]}', { groups: { property: "plan", limit: 8 } }],
])("nonsense in an address is left out: %s", (said, choice) => expect(readTrends(new URLSearchParams({ q: said }))).toMatchObject(choice));

test("the question names pages as pages and numbers only where they count", () => {
  const question = questionOf(FULL, FRAME, { start: "2026-11-01", end: "2026-11-02" });
  expect(question?.series).toEqual([
    { name: "שלום", event: "signup", measure: "people", filters: FULL.series[0]?.filters },
    { name: "purchase · 90th percentile of total", event: "purchase", measure: "p90", filters: [], property: "total" },
    { name: "/docs/** · events", page: "/docs/**", measure: "events", filters: [] },
  ]);
  expect(question).toMatchObject({ interval: "week", breakdown: { property: "country", limit: 5 }, formulas: [{ expression: "A / C" }, { expression: "B - 1", name: "less" }] });
  expect(questionOf({ ...FULL, interval: null }, FRAME, { start: "2026-11-01", end: "2026-11-02" })?.interval).toBe("hour");
  expect(questionOf({ ...FULL, series: [] }, FRAME, null)).toBeNull();
  expect(seriesTitle(EMPTY.series[0] ?? newSeries())).toBe("Any event · people");
});

test.each([
  ["A / B * 100", 2, true],
  ["(A+B)/2.5", 2, true],
  ["A / C", 2, false],
  ["a", 1, false],
  ["A ** alert(1)", 1, false],
  ["", 1, false],
])("%s of %d series", (expression, series, isOne) => expect(isFormula(expression, series)).toBe(isOne));

test("removing a series moves the letters after it and takes the formulas that named it", () => {
  const left = withoutSeries(FULL, 1);
  expect(left.series.map((one) => one.event)).toEqual(["signup", "/docs/**"]);
  expect(left.formulas).toEqual([{ expression: "A / B", name: "" }]);
  expect(letterOf(19)).toBe("T");
});
