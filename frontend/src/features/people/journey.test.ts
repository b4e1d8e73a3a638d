import { expect, test } from "vitest";
import { journeyDays, pageOf } from "./journey";
import { eachOnce } from "./each-once";

const at = (time: string) => ({ created_at: time });

test("days are those of the project's zone", () => {
  const events = [at("2026-11-20T23:30:00.000000Z"), at("2026-11-20T22:30:00.000000Z")];
  expect(journeyDays(events, "UTC", 3_600).map((one) => [one.day, one.events.length])).toEqual([["2026-11-20", 2]]);
  expect(journeyDays(events, "Europe/Berlin", 3_600).map((one) => one.day)).toEqual(["2026-11-21", "2026-11-20"]);
});

test("a pause is told between two events of one day, not across days and not when it is short", () => {
  const events = [at("2026-11-20T12:00:00.000000Z"), at("2026-11-20T09:00:00.000000Z"), at("2026-11-20T08:59:00.000000Z"), at("2026-11-18T08:00:00.000000Z")];
  expect(journeyDays(events, "UTC", 3_600).flatMap((one) => one.events.map((event) => event.pause))).toEqual([10_800, null, null, null]);
});

test("no event makes no day", () => expect(journeyDays([], "UTC", 60)).toEqual([]));

test.each([
  ["https://shop.example/lamps?x=1#y", "shop.example/lamps"],
  ["/relative", "/relative"],
  ["not an address", "not an address"],
  ["mailto:a@b", "mailto:a@b"],
])("%s reads %s", (url, text) => expect(pageOf(url)).toBe(text));

test("somebody on two pages stands once, where they were first", () => {
  expect(eachOnce([["a", "b"], ["b", "c", "a"]], (one) => one)).toEqual(["a", "b", "c"]);
});
