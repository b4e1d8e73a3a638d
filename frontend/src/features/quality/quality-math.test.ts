import { expect, test } from "vitest";
import { boundedRange, fieldOf, isPointer, knownSince, mergePatch, patchAt, prettyEvent, readEvent, refusedSeries, storedSeries, type QualityDay } from "./quality-math";

const makeDay = (date: string, over: Partial<QualityDay> = {}): QualityDay => ({
  date, stored: 0, bots: 0, duplicates: 0, sampled_out: 0, rate_limited: 0, quota_exceeded: 0, invalid: 0, replayed: 0,
  reasons: {}, invalid_share: null, is_refused_known: true, repeats: 0, ...over,
}); // prettier-ignore

/** RFC 7396, word for word: the oracle of the patches. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const members = new Map<string, unknown>(typeof target === "object" && target !== null && !Array.isArray(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, apply(members.get(name), value));
  }
  return Object.fromEntries(members);
}

test.each([
  [{ a: 1 }, { a: 1 }, {}],
  [{ usr: "u" }, { user_id: "u" }, { usr: null, user_id: "u" }],
  [{ p: { a: 1, b: 2 } }, { p: { a: 1, b: 3 } }, { p: { b: 3 } }],
  [{ p: [1, 2] }, { p: [1, null] }, { p: [1, null] }],
  [{ p: 5 }, { p: { a: { b: 1 } } }, { p: { a: { b: 1 } } }],
  [{ p: { a: 1 } }, { p: {} }, { p: { a: null } }],
  [{ p: null, q: 1 }, { p: null, q: 2 }, { q: 2 }],
  [{ p: 1 }, { p: {} }, { p: {} }],
])("the patch from %j to %j", (from, to, patch) => {
  const found = mergePatch(from as never, to as never);
  expect(found).toEqual(patch);
  expect(apply(from, found)).toEqual(to);
});

test.each([
  [{ a: 1 }, { a: null }],
  [{}, { p: { deep: { a: null } } }],
])("from %j to %j no patch leads", (from, to) => expect(mergePatch(from as never, to as never)).toBeNull());

test("a member called __proto__ is a member", () => {
  const to = JSON.parse('{"__proto__": {"a": 1}}') as never;
  expect(JSON.stringify(mergePatch({}, to))).toBe('{"__proto__":{"a":1}}');
});

test.each([
  ["/usr", true],
  ["/properties/price", true],
  ["usr", false],
  ["/", false],
  ["", false],
])("%j is a pointer: %s", (text, is) => expect(isPointer(text)).toBe(is));

test("one member is set at its pointer", () => {
  expect(patchAt("/properties/a~1b", 5)).toEqual({ properties: { "a/b": 5 } });
  expect(patchAt("/usr", null)).toEqual({ usr: null });
});

test.each([["{"], ["[1]"], ['"text"'], ["null"]])("%s is no event, and why is said", (text) => {
  expect(readEvent(text)).toHaveProperty("fault");
  expect(prettyEvent(text)).toBe(text);
});

test("series: bots apart, reasons by volume, gaps where nothing is known", () => {
  const days = [
    makeDay("2026-10-01", { is_refused_known: false, stored: 5 }),
    makeDay("2026-10-02", { stored: 10, bots: 4, reasons: { duplicate: 1, missing_identity: 6 } }),
  ];
  expect(storedSeries(days).map((one) => one.values)).toEqual([[5, 6], [0, 4]]);
  expect(refusedSeries(days, { duplicate: 1, missing_identity: 6, too_long: 0 }).map((one) => [one.name, one.values])).toEqual([
    ["Nobody named", [null, 6]],
    ["Duplicate", [null, 1]],
  ]);
  expect(knownSince(days)).toBe("2026-10-02");
  expect(knownSince(days.slice(1))).toBeNull();
});

test("reasons beyond the scale come together, and nothing is lost", () => {
  const reasons = Object.fromEntries(Array.from({ length: 10 }, (_none, at) => [`reason_${at}`, 10 - at]));
  const series = refusedSeries([makeDay("2026-10-02", { reasons })], reasons);
  expect(series).toHaveLength(8);
  expect(series.reduce((sum, one) => sum + (one.values[0] ?? 0), 0)).toBe(55);
});

test.each([
  [null, { start: "2025-11-21", end: "2026-11-21" }],
  [{ start: "2026-11-01", end: "2026-11-02" }, { start: "2026-11-01", end: "2026-11-02" }],
  [{ start: "2020-01-01", end: "2026-11-02" }, { start: "2025-11-02", end: "2026-11-02" }],
])("of %j is asked %j", (range, asked) => expect(boundedRange(range, "2026-11-21")).toEqual(asked));

test.each([
  ["/events/0/user_id", "user_id"],
  ["/batch/12/properties/price", "properties.price"],
  ["/properties/a~1b", "properties.a/b"],
  ["/events", "events"],
])("the member at %s is called %s", (pointer, name) => expect(fieldOf(pointer)).toBe(name));
