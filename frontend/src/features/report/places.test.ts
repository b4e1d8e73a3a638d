import { expect, test } from "vitest";
import { intervalFor, placeOf, type Interval } from "./places";

test.each<[string, string, Interval]>([
  ["2026-11-20", "2026-11-20", "hour"],
  ["2026-11-19", "2026-11-20", "hour"],
  ["2026-11-18", "2026-11-20", "day"],
  ["2026-08-20", "2026-11-19", "day"],
  ["2026-08-19", "2026-11-19", "week"],
  ["2025-11-20", "2026-11-19", "week"],
  ["2024-11-20", "2026-11-19", "month"],
])("%s to %s by %s", (start, end, interval) => expect(intervalFor({ start, end })).toBe(interval));

test("all data are shown by month", () => expect(intervalFor(null)).toBe("month"));

test.each<[string, Interval, string, string]>([
  ["2026-11-20", "day", "20 Nov", "20 Nov 2026"],
  ["2026-10-25T02:00:00+02:00", "hour", "02:00", "25 Oct 2026, 02:00"],
  ["2026-10-25T00:00:00+02:00", "hour", "25 Oct", "25 Oct 2026, 00:00"],
  ["2026-11-16", "week", "16 Nov", "Week of 16 – 22 Nov 2026"],
  ["2026-11-01", "month", "Nov 2026", "November 2026"],
])("%s by %s", (date, interval, label, title) => {
  expect(placeOf(date, interval)).toEqual({ label, title });
  expect(placeOf(date, interval, true)).toEqual({ label, title, isIncomplete: true });
});
