import { expect, test } from "vitest";
import { daysOf, isLive, readRange, readStage, writeRange, writeStage, type RangeChoice } from "./range-state";

const read = (query: string): RangeChoice => readRange(new URLSearchParams(query));

test.each([
  ["", { preset: "30d" }],
  ["range=7d", { preset: "7d" }],
  ["range=all", { preset: "all" }],
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

test("only a stage that exists is selected", () => {
  const stage = (query: string): number | null => readStage(new URLSearchParams(query), 3);
  expect([stage("stage=2"), stage("stage=4"), stage("stage=0"), stage("stage=1.5"), stage("")]).toEqual([2, null, null, null, null]);
  expect(writeStage(new URLSearchParams("stage=2&range=7d"), null).toString()).toBe("range=7d");
});
