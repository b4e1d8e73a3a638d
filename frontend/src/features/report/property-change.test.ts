import { expect, test } from "vitest";
import { onProperty } from "./property-change";

const said = { property: "country", op: "eq", value: "Chrome" };

test("another property has no value yet, and typing the same one again brings it back", () => {
  const half = onProperty(said, said, "countr");
  expect(half).toEqual({ property: "countr", op: "eq", value: "" });
  expect(onProperty(half, said, "country")).toEqual(said);
  expect(onProperty(said, said, "column:country")).toEqual({ ...said, property: "column:country" });
  expect(onProperty(said, { ...said, property: "property:country" }, "column:country").value).toBe("");
});

test("a comparison of numbers becomes one that every property has", () => {
  const price = { property: "price", op: "gte", value: "12" };
  expect(onProperty(price, price, "plan")).toEqual({ property: "plan", op: "eq", value: "" });
  expect(onProperty({ ...price, op: "in" }, { ...price, op: "in" }, "plan").op).toBe("in");
});

test("a value that was given before any property stays", () => {
  const now = { property: "", op: "gte", value: "12" };
  expect(onProperty(now, now, "price")).toEqual({ ...now, property: "price" });
});
