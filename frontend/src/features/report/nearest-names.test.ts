import { expect, test } from "vitest";
import { nearestNames } from "./nearest-names";

const KNOWN = ["page_view", "purchase", "purchase_completed", "search", "sign up", "עגלה", "x"];

test.each<[string, string[]]>([
  ["purchse", ["purchase"]],
  ["Purchase", ["purchase", "purchase_completed"]],
  ["signup", ["sign up"]],
  ["sign-up", ["sign up"]],
  ["page view", ["page_view"]],
  ["עגלת", ["עגלה"]],
  ["newsletter", []],
  ["", []],
  ["   ", []],
])("%j may mean %j", (written, meant) => expect(nearestNames(written, KNOWN)).toEqual(meant));

test("at most three names, the nearest first, and very long ones cost nothing", () => {
  expect(nearestNames("order", ["order_c", "order_ab", "orders", "order_abcd"])).toEqual(["orders", "order_c", "order_ab"]);
  expect(nearestNames("a".repeat(10_000), ["b".repeat(10_000)])).toEqual([]);
});
