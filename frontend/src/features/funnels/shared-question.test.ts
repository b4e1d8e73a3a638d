import type { CompareChoice, RangeChoice } from "@/features/report/range-state";
import { expect, test } from "vitest";
import { sharedQuestion } from "./shared-question";

const october = { start: "2026-10-01", end: "2026-10-31" };
const fixed: RangeChoice = { preset: "custom", range: october };
const moving: RangeChoice = { preset: "30d" };

test.each<[string, CompareChoice, RangeChoice, object]>([
  ["no comparison", { with: "none" }, moving, { include: ["times"] }],
  ["the period before, which moves on with the days", { with: "previous" }, moving, { include: ["times", "compare"] }],
  ["the period before fixed days", { with: "previous" }, fixed, { include: ["times", "compare"] }],
  ["the year before fixed days", { with: "year" }, fixed, { include: ["times", "compare"], compare_start: "2025-10-01", compare_end: "2025-10-31" }],
  ["the year before days that move on, which nothing says", { with: "year" }, moving, { include: ["times"] }],
  ["days of one's own", { with: "custom", range: october }, moving, { include: ["times", "compare"], compare_start: "2026-10-01", compare_end: "2026-10-31" }],
])("a link has the times and %s", (_what, compare, choice, question) => expect(sharedQuestion(compare, choice, october)).toEqual(question));

test("all data have no period before them", () => expect(sharedQuestion({ with: "previous" }, { preset: "all" }, null)).toEqual({ include: ["times"] }));
