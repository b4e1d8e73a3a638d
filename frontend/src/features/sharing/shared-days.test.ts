import type { ViewRange } from "@/api/saved-types";
import type { DayRange } from "@/lib/dates";
import { expect, test } from "vitest";
import { daysOfAll } from "./shared-days";

const TODAY = "2026-11-21";
const week: ViewRange = { preset: "7d" };
const fixed: ViewRange = { start_date: "2026-10-01", end_date: "2026-10-31" };
const cards = (...ranges: (ViewRange | null | "note")[]) => ranges.map((range) => (range === "note" ? { kind: "note", range: null } : { kind: "trends", range }));
const chosen: DayRange = { start: "2026-11-01", end: "2026-11-03" };

test.each([
  ["one preset", cards(week, "note", week), null, "Last 7 days: 15–21 Nov 2026"],
  ["fixed days", cards(fixed), null, "1–31 Oct 2026"],
  ["all data", cards({ preset: "all" }), null, "All data"],
  ["days of their own", cards(week, fixed), null, null],
  ["days that only a question knows", cards(week, null), null, null],
  ["days chosen by the reader", cards(week, fixed), chosen, "1–3 Nov 2026"],
  ["no cards", cards("note"), null, null],
] as const)("%s", (_name, all, days, text) => {
  expect(daysOfAll(all, days, TODAY)?.replaceAll(/\s*–\s*/g, "–") ?? null).toBe(text);
});
