import type { Condition } from "@/api/types";
import { expect, test } from "vitest";
import { conditionOf, listOf, listText, readConditions, valueText, writeConditions, type Operator, lastOfList } from "./conditions";

test.each<[string, Operator, string, Condition | null]>([
  ["plan", "eq", " pro ", { property: "plan", op: "eq", value: "pro" }],
  ["plan", "eq", "", null],
  [" ", "eq", "pro", null],
  ["total", "gt", "12.5", { property: "total", op: "gt", value: 12.5 }],
  ["total", "gt", "much", null],
  ["plan", "in", "pro, team", { property: "plan", op: "in", value: ["pro", "team"] }],
  ["plan", "exists", "ignored", { property: "plan", op: "exists" }],
])("%s %s %s", (property, op, text, condition) => expect(conditionOf(property, op, text)).toEqual(condition));

test("a number or boolean that was only looked at stays one", () => {
  expect(conditionOf("n", "eq", "5", 5)).toEqual({ property: "n", op: "eq", value: 5 });
  expect(conditionOf("n", "eq", "6", 5)).toEqual({ property: "n", op: "eq", value: "6" });
  expect(conditionOf("b", "eq", "true", true)).toEqual({ property: "b", op: "eq", value: true });
});

test("lists keep commas and backslashes of their values", () => {
  const values = ["a,b", "c\\d", "e"];
  expect(listOf(listText(values))).toEqual(values);
  expect(valueText({ property: "p", op: "in", value: values })).toBe(listText(values));
});

test("conditions of an address are read back, and nonsense in it is left out", () => {
  const conditions: Condition[] = [{ property: "שלום", op: "eq", value: "<img>" }, { property: "p", op: "exists" }];
  const written = writeConditions(new URLSearchParams("range=7d"), conditions);
  expect(readConditions(written)).toEqual(conditions);
  expect(writeConditions(written, []).toString()).toBe("range=7d");
  for (const bad of ["{", "5", "[null, {}, {\"property\": 1, \"op\": \"eq\"}, {\"property\": \"p\", \"op\": \"toString\"}]"]) {
    expect(readConditions(new URLSearchParams({ filters: bad }))).toEqual([]);
  }
});

test.each([
  ["", "", ""],
  ["Sp", "", "Sp"],
  ["Spain, Fr", "Spain, ", "Fr"],
  ["Spain,Fr", "Spain,", "Fr"],
  ["Spain, ", "Spain, ", ""],
  ["Smith\\, Jo", "", "Smith, Jo"],
  ["a, Smith\\, Jo", "a, ", "Smith, Jo"],
  ["a\\\\, b", "a\\\\, ", "b"],
])("of the list %j what is before the last value is %j, and the value %j", (text, before, last) => expect(lastOfList(text)).toEqual({ before, last }));
