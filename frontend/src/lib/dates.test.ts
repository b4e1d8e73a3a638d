import { expect, test } from "vitest";
import { addDays, dayBegins, daysIn, isDay, lastDays, previousRange, todayIn } from "./dates";

test("a day is a real day", () => {
  expect(isDay("2026-02-28")).toBe(true);
  expect(isDay("2026-02-30")).toBe(false);
  expect(isDay("2026-2-3")).toBe(false);
  expect(isDay("<img>")).toBe(false);
});

test("adding days crosses months, years and leap days", () => {
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
});

test("the last 30 days end today and hold 30 days", () => {
  const range = lastDays(30, "2026-11-21");
  expect(range).toEqual({ start: "2026-10-23", end: "2026-11-21" });
  expect(daysIn(range)).toBe(30);
});

test("the previous range has the same length and touches the range", () => {
  expect(previousRange({ start: "2026-11-08", end: "2026-11-14" })).toEqual({ start: "2026-11-01", end: "2026-11-07" });
});

test("today is the project's day, and an unknown zone counts as UTC", () => {
  const now = new Date("2026-11-12T23:30:00Z");
  expect(todayIn("Asia/Tokyo", now)).toBe("2026-11-13");
  expect(todayIn("America/New_York", now)).toBe("2026-11-12");
  expect(todayIn("Nowhere/Else", now)).toBe("2026-11-12");
});

test.each([
  ["2026-11-12", "UTC", "2026-11-12T00:00:00.000Z"],
  ["2026-11-12", "Asia/Kolkata", "2026-11-11T18:30:00.000Z"],
  ["2026-11-12", "America/New_York", "2026-11-12T05:00:00.000Z"],
  // The days on which clocks change, and those after them.
  ["2026-03-29", "Europe/Vienna", "2026-03-28T23:00:00.000Z"],
  ["2026-03-30", "Europe/Vienna", "2026-03-29T22:00:00.000Z"],
  ["2026-10-25", "Europe/Vienna", "2026-10-24T22:00:00.000Z"],
  ["2026-10-26", "Europe/Vienna", "2026-10-25T23:00:00.000Z"],
  ["2026-11-01", "America/New_York", "2026-11-01T04:00:00.000Z"],
])("%s begins in %s at %s", (day, zone, instant) => expect(dayBegins(day, zone)).toBe(instant));
