import { countryName } from "@/lib/format";
import { expect, test } from "vitest";
import { flagOf, visitGroupName } from "./visit-names";

test.each([
  ["AT", "Austria", "🇦🇹"],
  ["ZZ", "ZZ", "🇿🇿"],
  ["<b>", "<b>", null],
  ["at", "at", null],
])("the country of %s", (code, name, flag) => {
  expect(flagOf(code)).toBe(flag);
  if (code !== "ZZ") expect(countryName(code)).toBe(name);
});

test.each([
  ["channel", "search", "Search"],
  ["channel", "constructor", "constructor"],
  ["country", "AT", "Austria"],
  ["browser", "AT", "AT"],
])("a group of %s with the value %s", (list, value, name) => expect(visitGroupName(list, { group: "value", value })).toBe(name));

test("the rest and those without a value have names of ours", () => {
  expect(visitGroupName("channel", { group: "other", value: null })).toBe("(other)");
  expect(visitGroupName("channel", { group: "none", value: null })).toBe("(not set)");
});
