import { expect, test } from "vitest";
import { questionOf, readRetention, writeRetention, type RetentionChoice } from "./retention-state";

const FULL: RetentionChoice = {
  start: { event: "signup", filters: [{ property: "plan", op: "eq", value: "pro" }] },
  back: { event: "/docs/**", filters: [] },
  interval: "week",
  periods: 4,
  isFirstEver: true,
  isRolling: true,
  isOnOrAfter: true,
  groups: { property: "plan", limit: 3 },
  show: "count",
  view: "map",
  group: "value pro",
};
const FRAME = { project_id: "p1", filters: [], exclude_bots: false, include: [] };

test("the address holds the whole question", () => {
  expect(readRetention(writeRetention(new URLSearchParams("range=7d"), FULL))).toEqual(FULL);
  const unsaid = readRetention(new URLSearchParams());
  expect(writeRetention(new URLSearchParams("range=7d"), unsaid).toString()).toBe("range=7d");
});

test.each(["0", "-1", "61", "x", ""])("periods of %j are those of the interval", (periods) => {
  expect(readRetention(new URLSearchParams({ periods, every: "week" })).periods).toBe(12);
});

test("the question says only what was chosen", () => {
  expect(questionOf(FULL, FRAME)).toMatchObject({
    start: { event: "signup", filters: FULL.start.filters },
    return: { page: "/docs/**", filters: [] },
    interval: "week",
    periods: 4,
    kind: "first_ever",
    mode: "rolling",
    on_or_after: true,
    breakdown: { property: "plan", limit: 3 },
  });
  const any = questionOf(readRetention(new URLSearchParams()), FRAME);
  expect(any).toMatchObject({ start: { event: "*", filters: [] }, interval: "day", periods: 14, kind: "first_in_range", mode: "calendar", on_or_after: false });
  expect(any).not.toHaveProperty("return");
  expect(any).not.toHaveProperty("breakdown");
});
