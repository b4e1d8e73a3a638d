import { describe, expect, test } from "vitest";
import { biggestDrop, neighbour, share, stageRows, tableText, type Stage } from "./funnel-math";

const stage = (order: number, users: number, conversion: number, drop: number): Stage => ({
  stage_name: `s${order}`,
  order,
  users,
  conversion_rate: conversion,
  drop_off_rate: drop,
});
const shop = [stage(1, 90_400, 100, 0), stage(2, 45_200, 50, 50), stage(3, 6_030, 6.67, 86.66), stage(4, 452, 0.5, 92.5)];

test("each row knows whom it lost and who went on", () => {
  const rows = stageRows(shop);
  expect(rows.map((row) => row.lost)).toEqual([0, 45_200, 39_170, 5_578]);
  expect(rows.map((row) => row.wentOn)).toEqual([45_200, 6_030, 452, null]);
  expect(rows[1]?.fromPrevious).toBe(50);
});

test("those who did not go on are those who left and those who have time, stage by stage", () => {
  const stages = [[100, 100], [40, 65], [10, 40], [10, 40]].map(([users = 0, users_max = 0], at) => ({ ...stage(at + 1, users, 0, 0), users_max }));
  // 25 have time at stage 1, and 5 more at stage 2.
  expect(stageRows(stages).map((row) => [row.lost, row.left, row.waiting])).toEqual([[0, 0, 0], [60, 35, 25], [30, 25, 5], [0, 0, 0]]);
});

test("empty stages give zeros, never NaN", () => {
  const rows = stageRows([stage(1, 0, 0, 0), stage(2, 0, 0, 0)]);
  expect(rows[1]).toMatchObject({ lost: 0, fromPrevious: 0, wentOn: null });
  expect(share(0, 0)).toBe(0);
});

describe("biggestDrop", () => {
  test("is the highest rate, not the most people", () => expect(biggestDrop(stageRows(shop))?.order).toBe(4));
  test("breaks ties by people", () => {
    const tied = [stage(1, 400, 100, 0), stage(2, 200, 50, 50), stage(3, 100, 25, 50)];
    expect(biggestDrop(stageRows(tied))?.order).toBe(2);
  });
  test("is nothing when nobody was lost", () => {
    expect(biggestDrop(stageRows([stage(1, 5, 100, 0), stage(2, 5, 100, 0)]))).toBeNull();
  });
});

test("a copied table keeps hostile names inside their cell", () => {
  const text = tableText(["a"], stageRows([{ ...stage(1, 1, 100, 0), stage_name: "=HYPERLINK(1)\tx\ny" }]));
  expect(text.split("\n")).toHaveLength(2);
  expect(text.split("\n")[1]?.split("\t")[1]).toBe("'=HYPERLINK(1) x y");
});

test("arrow keys stop at the ends and enter from outside", () => {
  expect(neighbour(null, 1, 3)).toBe(1);
  expect(neighbour(null, -1, 3)).toBe(3);
  expect(neighbour(3, 1, 3)).toBe(3);
  expect(neighbour(2, -1, 3)).toBe(1);
});
