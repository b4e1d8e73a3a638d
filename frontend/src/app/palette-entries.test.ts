import { expect, test } from "vitest";
import { entriesFor, type Entry } from "./palette-entries";

const entry = (name: string): Entry => ({ kind: "funnel", name });

test("beginnings come before beginnings of words, and those before the middle of words", () => {
  const entries = ["Recart", "Lost cart", "Cart", "Other"].map(entry);
  expect(entriesFor(entries, "CART").map((one) => one.name)).toEqual(["Cart", "Lost cart", "Recart"]);
});

test("nothing typed shows all, and the list is bounded", () => {
  const many = Array.from({ length: 100 }, (_none, index) => entry(`funnel ${index}`));
  expect(entriesFor(many, " ")).toHaveLength(30);
  expect(entriesFor(many, "funnel")).toHaveLength(30);
  expect(entriesFor(many, "(")).toEqual([]);
});
