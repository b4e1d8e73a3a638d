import { expect, test } from "vitest";
import { dated } from "./ranges";

const TODAY = "2026-11-18";

test("a card of this week is compared with the same weekdays before, one of the last days with those before them", () => {
  const question = { include: ["compare"], interval: "day" };
  expect(dated("trends", question, { preset: "week" }, TODAY)).toEqual({
    ...question, start_date: "2026-11-16", end_date: TODAY, compare_start: "2026-11-09", compare_end: "2026-11-11",
  });
  expect(dated("trends", question, { preset: "7d" }, TODAY)).toMatchObject({ compare_start: "2026-11-05", compare_end: "2026-11-11" });
});

test("days of its own stay, and what is not compared has none", () => {
  const own = { include: ["compare"], compare_start: "2026-01-01", compare_end: "2026-01-07" };
  expect(dated("trends", own, { preset: "week" }, TODAY)).toMatchObject(own);
  expect(dated("trends", { include: [] }, { preset: "week" }, TODAY)).not.toHaveProperty("compare_start");
  expect(dated("trends", { include: ["compare"] }, { preset: "all" }, TODAY)).not.toHaveProperty("compare_start");
});
