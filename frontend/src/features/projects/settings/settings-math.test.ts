import type { ProjectKey } from "@/api/types";
import { makeProject } from "@/test/service";
import { expect, test } from "vitest";
import { keyName, minutesOf, originOf, quotaUse, rateOf, ruleDraft, ruleOf, ruleSentence, schemaFault, secondsOf, sectionOf, wholeOf, withOrigin } from "./settings-math";

test.each([
  ["", null],
  ["  ", null],
  ["1", 1],
  ["10 000", 10_000],
  ["1,000", 1_000],
  ["0", undefined],
  ["-5", undefined],
  ["1.5", undefined],
  ["1e9", undefined],
  ["many", undefined],
])("a limit typed as %j is %s", (text, value) => expect(wholeOf(text)).toBe(value));

test.each([
  ["https://shop.example.org", "https://shop.example.org"],
  [" HTTPS://*.Example.org/ ", "https://*.example.org"],
  ["http://localhost:5173", "http://localhost:5173"],
  ["shop.example.org", null],
  ["https://shop.example.org/path", null],
  ["https://", null],
  ["https://a..b", null],
  ["ftp://shop.example.org", null],
  ["https://a.*.org", null],
])("%j is the origin %s", (text, origin) => expect(originOf(text)).toBe(origin));

test.each([
  ["30", 1800],
  ["0.5", 30],
  ["1,5", 90],
  ["0", undefined],
  ["1441", undefined],
  ["x", undefined],
  ["", undefined],
])("%j minutes are %s seconds", (text, seconds) => expect(secondsOf(text, 1, 86_400)).toBe(seconds));

test.each([1, 59, 60, 61, 90, 3600, 86_400])("%i seconds survive the form", (seconds) => expect(secondsOf(minutesOf(seconds), 1, 86_400)).toBe(seconds));

test.each([
  ["0", 0],
  ["10", 0.1],
  ["12.5 %", 0.125],
  ["0,01", 0.0001],
  ["100", 1],
  ["100.1", undefined],
  ["-1", undefined],
  ["half", undefined],
])("a share typed as %j is %s", (text, rate) => expect(rateOf(text)).toBe(rate));

test.each([
  { rate: 0.1, by: "user" as const, event_type: "page_view", source: "web", window_seconds: 3600 },
  { rate: 0, by: "random" as const, event_type: null, source: null, window_seconds: 3600 },
  { rate: 1 / 3, by: "window" as const, event_type: null, source: "ios", window_seconds: 90 },
])("a rule survives the form: %o", (rule) => {
  const back = ruleOf(ruleDraft(rule));
  expect({ ...back, rate: 0 }).toEqual({ ...rule, rate: 0 });
  expect(back.rate).toBeCloseTo(rule.rate, 8);
});

test.each([
  [{ percent: "10", event_type: "", source: "" }, "Keeps 10.0% of all events"],
  [{ percent: "0", event_type: "view", source: "web" }, "Keeps 0% of “view” from web"],
  [{ percent: "?", event_type: "", source: "ios" }, "Keeps … of all events from ios"],
])("a rule in words: %o", (over, sentence) => expect(ruleSentence({ by: "user", window: "60", ...over })).toBe(sentence));

test.each([
  ["{}", null],
  ["[]", "A schema is a JSON object: { … }."],
  ["null", "A schema is a JSON object: { … }."],
])("the schema %s", (text, fault) => expect(schemaFault(text)).toBe(fault));
test("a schema that is no JSON says why", () => expect(schemaFault("{")).toMatch(/^This is not JSON: ./));

test("a section that does not exist is the first", () => {
  expect(sectionOf("keys")).toBe("keys");
  expect(sectionOf("nonsense")).toBe("general");
  expect(sectionOf(null)).toBe("general");
});

test("the month is never fuller than full", () => {
  expect(quotaUse(5, null)).toBeNull();
  expect(quotaUse(5, 10)).toBe(50);
  expect(quotaUse(25, 10)).toBe(100);
});

test("an origin is added once", () => {
  const project = makeProject({ allowed_origins: ["https://a.test"] });
  expect(withOrigin(project, "https://b.test")).toEqual(["https://a.test", "https://b.test"]);
  expect(withOrigin(project, "https://a.test")).toEqual(["https://a.test"]);
});

test("keys of one name are told apart by their ends", () => {
  const key = (id: string, name: string): ProjectKey => ({ id, name, kind: "write", prefix: "iafa_w_", last4: `end${id}`, created_at: "", expires_at: null, last_used_at: null, key: null });
  const keys = [key("1", "Website"), key("2", "Website"), key("3", "Server")];
  expect(keys.map((one) => keyName(one, keys))).toEqual(["Website …end1", "Website …end2", "Server"]);
});
