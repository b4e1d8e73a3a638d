import type { Answers } from "@/api/saved-types";
import { expect, test } from "vitest";
import { cardTitle } from "../card-title";
import { trendSeries, trendTotal } from "./trend-series";

type Trends = Answers["trends"];

const bucket = { value: 3 };
const line = (name: string, measure: string, over: object = {}) => ({ name, event_type: name, measure, property: null, total: { value: 14_412 }, buckets: [bucket], ...over });
const answer = (...series: object[]): Trends => ({ series, formulas: [] }) as unknown as Trends;

test.each([
  ["*", "people", null, "Any event · people"],
  ["*", "events", null, "Events"],
  ["buy", "events", null, "buy · events"],
  ["buy", "mau", null, "buy · people in 30 days"],
  ["buy", "sum", "price", "sum of price"],
] as const)("%s counted as %s of %s is %s", (name, measure, property, said) => {
  const asked = answer(line(name, measure, { property }));
  expect(trendTotal(asked)).toEqual({ value: 14_412, label: expect.stringContaining(said) as string });
  expect(trendSeries(asked)[0]?.name).toContain(said);
});

test("a series that somebody named is called so and no more", () => {
  const asked = answer(line("Revenue in EUR", "sum", { event_type: "buy", property: "price" }));
  expect(trendTotal(asked)?.label).toBe("Revenue in EUR");
  expect(trendSeries(asked)[0]?.name).toBe("Revenue in EUR");
});

test("the number over groups says what it counts; the groups are named by their values", () => {
  const groups = ["de", "fr"].map((group_value) => ({ group: "value", group_value, total: { value: 1 }, buckets: [bucket] }));
  const asked = answer(line("buy", "people", { groups }));
  expect(trendTotal(asked)?.label).toBe("buy · people");
  expect(trendSeries(asked).map((one) => one.name)).toEqual(["de", "fr"]);
});

test("a formula is named by itself, and several lines have no one number", () => {
  const formulas = [{ name: "Share", expression: "A / B", total: { value: 0.5 }, buckets: [bucket] }];
  expect(trendTotal({ ...answer(line("a", "people")), formulas } as unknown as Trends)).toEqual({ value: 0.5, label: "Share" });
  expect(trendTotal(answer(line("a", "people"), line("b", "people")))).toBeNull();
});

test("a card without a title does not call people events", () => {
  const titleOf = (series: object): string => cardTitle({ kind: "trends", title: null, question: { series: [series] } });
  expect(titleOf({ event: "*", measure: "people" })).toBe("Any event · people");
  expect(titleOf({ event: "*" })).toBe("Events");
  expect(titleOf({ event: "buy", measure: "people" })).toBe("buy");
});
