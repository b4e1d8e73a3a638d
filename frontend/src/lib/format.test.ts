import { describe, expect, test, vi } from "vitest";
import { ago, bytes, change, clock, compactCount, count, day, dayRange, duration, milliseconds, moment, month, percent, persons, points, several, shortDay, span, stamp, wallTime } from "./format";

describe("percent", () => {
  test.each([
    [0, "0%"],
    [100, "100%"],
    [6.67, "6.7%"],
    [0.5, "0.5%"],
    [0.01, "<0.1%"],
    [99.99, ">99.9%"],
    [50, "50.0%"],
  ])("%d reads %s", (rate, text) => expect(percent(rate)).toBe(text));
});

test("counts are grouped and shorten only when long", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(compactCount(90_400)).toBe("90,400");
  expect(compactCount(1_234_567)).toBe("1.2M");
});

test("differences carry their sign and never read as minus zero", () => {
  expect(points(1.34)).toBe("+1.3 pt");
  expect(points(-2)).toBe("−2.0 pt");
  expect(points(-0.01)).toBe("±0 pt");
  expect(change(0.125)).toBe("+12.5%");
  expect(change(-0.0001)).toBe("±0%");
});

describe("span", () => {
  test.each([
    [604_800, "7 days"],
    [86_400, "1 day"],
    [5_400, "90 minutes"],
    [3_600, "1 hour"],
    [1, "1 second"],
    [0, "0 seconds"],
    [90, "90 seconds"],
  ])("%d s reads %s", (seconds, text) => expect(span(seconds)).toBe(text));
});

test("dates are written day first, in the project's zone", () => {
  expect(day("2026-11-12")).toBe("12 Nov 2026");
  expect(dayRange({ start: "2026-11-01", end: "2026-11-30" })).toBe("1 – 30 Nov 2026");
  expect(dayRange({ start: "2026-10-28", end: "2026-11-03" })).toBe("28 Oct – 3 Nov 2026");
  expect(dayRange({ start: "2026-11-03", end: "2026-11-03" })).toBe("3 Nov 2026");
  expect(moment("2026-11-12T23:02:00Z", "Asia/Tokyo")).toBe("13 Nov 2026, 08:02");
  expect(clock("2026-11-12T14:02:07Z", "UTC")).toBe("14:02:07");
  expect(clock("2026-11-12T14:02:07Z", "Not/AZone")).toBe("14:02:07");
  expect(stamp("2026-11-12T23:02:07Z", "Asia/Tokyo", new Date("2026-12-01"))).toBe("13 Nov, 08:02:07");
  expect(stamp("2026-11-12T23:02:07Z", "UTC", new Date("2027-12-01"))).toBe("12 Nov 2026, 23:02:07");
  expect([shortDay("2026-11-12"), month("2026-11-12", "short"), wallTime("09:00")]).toEqual(["12 Nov", "Nov 2026", "09:00"]);
});

test("axes, tables and moments of a locale agree", async () => {
  vi.stubGlobal("navigator", { language: "en-US" });
  vi.resetModules();
  const us = await import("./format");
  const { placeOf } = await import("@/features/report/places");
  const { placesOf } = await import("@/features/quality/quality-math");
  vi.unstubAllGlobals();
  vi.resetModules();
  // V8 writes a plain space or a narrow one before PM.
  const plain = (text: string | undefined) => text?.replace(/\u202f/g, " ");
  const late = "2026-09-05T22:57:30Z";
  expect([us.day("2026-09-05"), us.shortDay("2026-09-05"), us.month("2026-09-05", "long")]).toEqual(["Sep 5, 2026", "Sep 5", "September 2026"]);
  expect([us.moment(late, "UTC"), us.stamp(late, "UTC", new Date(late)), us.stamp(late, "UTC", new Date("2027-01-01")), us.clock(late, "UTC"), us.minute(late, "UTC")].map(plain)).toEqual([
    "Sep 5, 2026, 10:57 PM", "Sep 5, 10:57:30 PM", "Sep 5, 2026, 10:57:30 PM", "10:57:30 PM", "10:57 PM",
  ]); // prettier-ignore
  expect(placeOf("2026-10-24", "day")).toEqual({ label: "Oct 24", title: "Oct 24, 2026" });
  expect(plain(placeOf("2026-10-24T14:00:00+02:00", "hour").label)).toBe("02:00 PM");
  expect(placesOf([{ date: "2026-10-24" }] as never, "2026-10-25")).toEqual([{ label: "Oct 24", title: "Oct 24, 2026", isIncomplete: false }]);
});

test("unreadable input is shown as it came instead of Invalid Date", () => {
  expect(day("soon")).toBe("soon");
  expect(stamp("soon", "UTC")).toBe("soon");
  expect(moment("soon", "UTC")).toBe("soon");
  expect(ago("soon", new Date())).toBe("soon");
});

test("answer times are whole milliseconds under a second", () => {
  expect(milliseconds(0.2)).toBe("1 ms");
  expect(milliseconds(84.4)).toBe("84 ms");
  expect(milliseconds(1_234)).toBe("1.2 s");
});

test("ago uses the largest unit that fits", () => {
  const now = new Date("2026-11-12T12:00:00Z");
  expect(ago("2026-11-12T11:59:30Z", now)).toBe("just now");
  expect(ago("2026-11-12T11:57:00Z", now)).toBe("3 minutes ago");
  expect(ago("2026-11-11T11:57:00Z", now)).toBe("yesterday");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [1_234_567, "1.2 MB"],
  [999_999, "1.0 MB"],
  [345_600_000_000, "346 GB"],
])("%d bytes read %s", (amount, text) => expect(bytes(amount)).toBe(text));

test.each([
  [0.04, "40 ms"],
  [1, "1 s"],
  [59.6, "1 min"],
  [125, "2 min 5 s"],
  [3_600, "1 h"],
  [100_800, "1 d 4 h"],
  [86_460, "1 d"],
])("%d seconds read %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test("one is no plural", () => {
  expect([several("1", "event"), several("0", "event"), several("1,204", "event")]).toEqual(["1 event", "0 events", "1,204 events"]);
});

test.each([
  ["1", "1 person"],
  ["0", "0 people"],
  ["1,204", "1,204 people"],
])("one is a person, %s", (amount, said) => {
  expect(persons(amount)).toBe(said);
});

test("odds and the p of a test are written as the reader's locale writes numbers", async () => {
  const said = ({ factor, probability }: typeof import("./format")) => [factor(3.42), factor(1_204.4), probability(0.0123), probability(0.0001), probability(0.04981), probability(0.05)];
  expect(said(await import("./format"))).toEqual(["3.4", "1,204", "p = 0.012", "p < 0.001", "p = 0.0498", "p = 0.050"]);
  vi.stubGlobal("navigator", { language: "de-DE" });
  vi.resetModules();
  try {
    expect(said(await import("./format"))).toEqual(["3,4", "1.204", "p = 0,012", "p < 0,001", "p = 0,0498", "p = 0,050"]);
  } finally {
    vi.unstubAllGlobals();
    vi.resetModules();
  }
});
