import { expect, test } from "vitest";
import { stageRows } from "./funnel-math";
import { nextStageSort, readStageSort, sortedStages, writeStageSort, type StageSort } from "./stage-sort";

const stage = (order: number, users: number) => ({ stage_name: `s${order}`, order, users, conversion_rate: users, drop_off_rate: 0 });
const rows = stageRows([stage(1, 100), stage(2, 40), stage(3, 30)]);
const order = (sort: StageSort | null, medians: (number | null)[] = [], before: readonly { users: number }[] = []): number[] =>
  sortedStages(rows, sort, { medianOf: (at) => medians[at - 1] ?? null, before }).map((row) => row.order);

test("what is written is read back; nonsense is the stages' own order", () => {
  for (const sort of [null, { column: "lost", isDescending: true }, { column: "people", isDescending: false }] as const) {
    expect(readStageSort(new URLSearchParams({ sort: writeStageSort(sort) ?? "" }))).toEqual(sort);
  }
  expect(readStageSort(new URLSearchParams("sort=toString"))).toBeNull();
});

test("a column goes from most to least to the stages' own order", () => {
  const first = nextStageSort(null, "people");
  const second = nextStageSort(first, "people");
  expect([first, second, nextStageSort(second, "people")]).toEqual([{ column: "people", isDescending: true }, { column: "people", isDescending: false }, null]);
  expect(nextStageSort(second, "lost")).toEqual({ column: "lost", isDescending: true });
});

test("stages without a number come last either way", () => {
  expect(order({ column: "people", isDescending: false })).toEqual([3, 2, 1]);
  expect(order({ column: "lost", isDescending: true })).toEqual([2, 3, 1]);
  expect(order({ column: "lost", isDescending: false })).toEqual([3, 2, 1]);
  expect(order({ column: "median", isDescending: true }, [null, 5, 9])).toEqual([3, 2, 1]);
  expect(order({ column: "median", isDescending: false }, [null, null, 9])).toEqual([3, 1, 2]);
});

test("by the days compared with and by the change since then; without such days as the stages follow one another", () => {
  const before = [{ users: 200 }, { users: 20 }, { users: 10 }];
  const change = (isDescending: boolean): StageSort => ({ column: "change", isDescending });
  expect(order({ column: "before", isDescending: false }, [], before)).toEqual([3, 2, 1]);
  // 40% after 10%, and 30% after 5%; of the first stage there is no change.
  expect(order(change(true), [], before)).toEqual([2, 3, 1]);
  expect(order(change(false), [], before)).toEqual([3, 2, 1]);
  expect(order(change(false))).toEqual([1, 2, 3]);
  // Of the stage before: 40% after 10%, and 75% after 50%.
  expect(order({ column: "stepChange", isDescending: false }, [], before)).toEqual([3, 2, 1]);
  expect(readStageSort(new URLSearchParams({ sort: writeStageSort(change(false)) ?? "" }))).toEqual(change(false));
});
