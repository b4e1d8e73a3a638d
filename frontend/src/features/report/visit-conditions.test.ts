import { expect, test } from "vitest";
import { withValue } from "./conditions";
import { visitCondition } from "./visit-conditions";

test.each([
  ["page", "value", "/a b", { property: "column:page", op: "eq", value: "/a b" }],
  ["entry_page", "value", "/a", { property: "column:page", op: "eq", value: "/a" }],
  ["exit_page", "value", "/", { property: "column:page", op: "eq", value: "/" }],
  ["referrer", "value", "bing.com", { property: "column:referrer_host", op: "eq", value: "bing.com" }],
  ["country", "value", "AT", { property: "column:country", op: "eq", value: "AT" }],
  ["utm_source", "value", "", { property: "column:utm_source", op: "eq", value: "" }],
  ["country", "none", "", null],
  ["channel", "none", null, null],
  ["channel", "other", null, null],
] as const)("a click on %s, %s %j", (list, group, value, condition) => expect(visitCondition(list, group, value)).toEqual(condition));

test("a second click on the same list takes the place of the first", () => {
  const one = { property: "column:page", op: "eq", value: "/" } as const;
  const two = { ...one, value: "/b" };
  const other = { property: "plan", op: "exists" } as const;
  expect(withValue([one, other], two)).toEqual([other, two]);
});
