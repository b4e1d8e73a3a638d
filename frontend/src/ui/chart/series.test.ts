import { expect, test } from "vitest";
import { shown, spread } from "./series";

test.each<[number[], number[]]>([
  [[], []],
  [[50], [50]],
  [[10, 50], [10, 50]],
  [[50, 50], [50, 60]],
  [[52, 50, 48], [68, 58, 48]],
  [[95, 96, 97], [80, 90, 100]],
  [[-5, 120], [0, 100]],
])("labels at %j", (wanted, placed) => expect(spread(wanted, 10, 0, 100)).toEqual(placed));

test("a gap of a series is a dash, and its own format counts", () => {
  const format = (value: number): string => `${value}`;
  const one = { key: "a", name: "a", values: [1, null], color: 0 };
  expect([shown(one, 0, format), shown(one, 1, format), shown(one, 2, format)]).toEqual(["1", "–", "–"]);
  expect(shown({ ...one, format: (value) => `${value}%` }, 0, format)).toBe("1%");
});
