import { expect, test } from "vitest";
import { comparedDays, daysOf, isLive, longerPreset, readCompare, readRange, writeCompare, writeRange, type CompareChoice, type RangeChoice } from "./range-state";

const read = (query: string): RangeChoice => readRange(new URLSearchParams(query));

test.each([
  ["", { preset: "30d" }],
  ["range=7d", { preset: "7d" }],
  ["range=all", { preset: "all" }],
  ["range=week", { preset: "week" }],
  ["range=last_month", { preset: "last_month" }],
  ["range=toString", { preset: "30d" }],
  ["range=nonsense", { preset: "30d" }],
  ["from=2026-10-01&to=2026-10-31", { preset: "custom", range: { start: "2026-10-01", end: "2026-10-31" } }],
  ["from=2026-10-31&to=2026-10-01", { preset: "30d" }],
  ["from=2026-02-30&to=2026-03-01&range=90d", { preset: "90d" }],
])("%j is read as %j", (query, choice) => expect(read(query)).toEqual(choice));

test("what is written is read back, and other parts of the address stay", () => {
  const choices: RangeChoice[] = [
    { preset: "7d" },
    { preset: "30d" },
    { preset: "all" },
    { preset: "last_week" },
    { preset: "month" },
    { preset: "custom", range: { start: "2026-01-01", end: "2026-01-02" } },
  ];
  for (const choice of choices) {
    const written = writeRange(new URLSearchParams("stage=2&range=90d&from=x"), choice);
    expect(readRange(written)).toEqual(choice);
    expect(written.get("stage")).toBe("2");
  }
});

test("presets end today; all data has no days", () => {
  expect(daysOf({ preset: "7d" }, "2026-11-21")).toEqual({ start: "2026-11-15", end: "2026-11-21" });
  expect(daysOf({ preset: "all" }, "2026-11-21")).toBeNull();
  expect(isLive({ start: "2026-11-01", end: "2026-11-20" }, "2026-11-21")).toBe(false);
  expect(isLive(null, "2026-11-21")).toBe(true);
});

test("what a report is compared with is written, read back, and means days", () => {
  const october = { start: "2026-10-01", end: "2026-10-31" };
  const cases: [CompareChoice, unknown][] = [
    [{ with: "none" }, null],
    [{ with: "previous" }, { start: "2026-08-31", end: "2026-09-30" }],
    [{ with: "year" }, { start: "2025-10-01", end: "2025-10-31" }],
    [{ with: "custom", range: { start: "2026-01-01", end: "2026-01-07" } }, { start: "2026-01-01", end: "2026-01-07" }],
  ];
  for (const [choice, days] of cases) {
    for (const unsaid of ["none", "previous"] as const) {
      const written = writeCompare(new URLSearchParams("range=7d&compare=year&cfrom=x"), choice, unsaid);
      expect(readCompare(written, unsaid)).toEqual(choice);
      expect(written.get("range")).toBe("7d");
    }
    expect(comparedDays(choice, october, "custom")).toEqual(days);
  }
  expect(comparedDays({ with: "previous" }, null, "all")).toBeNull();
  expect(comparedDays({ with: "year" }, { start: "2028-02-29", end: "2028-02-29" }, "custom")).toEqual({ start: "2027-02-28", end: "2027-02-28" });
});

// 2026-11-22 is a Sunday, the 23rd a Monday.
test.each([
  ["week", "2026-11-22", "2026-11-16", "2026-11-22", "2026-11-09", "2026-11-15"],
  ["week", "2026-11-23", "2026-11-23", "2026-11-23", "2026-11-16", "2026-11-16"],
  ["last_week", "2026-11-22", "2026-11-09", "2026-11-15", "2026-11-02", "2026-11-08"],
  ["last_week", "2026-11-23", "2026-11-16", "2026-11-22", "2026-11-09", "2026-11-15"],
  ["month", "2026-11-19", "2026-11-01", "2026-11-19", "2026-10-01", "2026-10-19"],
  ["month", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"],
  ["last_month", "2026-03-31", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"],
  ["last_month", "2026-01-05", "2025-12-01", "2025-12-31", "2025-11-01", "2025-11-30"],
] as const)("%s on %s is %s to %s, after the same part of the one before: %s to %s", (preset, today, start, end, startBefore, endBefore) => {
  const range = daysOf({ preset }, today);
  expect(range).toEqual({ start, end });
  expect(comparedDays({ with: "previous" }, range, preset)).toEqual({ start: startBefore, end: endBefore });
});

const WEEK_S = 7 * 86_400;
test.each([
  ["2026-11-01", "2026-11-07", WEEK_S, "30d"],
  ["2026-11-01", "2026-11-08", WEEK_S, null],
  ["2026-11-01", "2026-11-01", 86_400, "7d"],
  ["2026-11-01", "2026-11-30", 30 * 86_400, "90d"],
  ["2026-01-01", "2026-11-30", 365 * 86_400, "all"],
  ["2026-11-01", "2026-11-01", 1_800, null],
  ["2026-11-01", "2026-11-01", null, null],
])("%s to %s with a window of %j s leads to %j", (start, end, window_s, preset) => expect(longerPreset({ start, end }, window_s)).toBe(preset));

test("all data are long enough for any window", () => expect(longerPreset(null, WEEK_S)).toBeNull());
