import type { Alert, AlertRule } from "@/api/types";
import { expect, test } from "vitest";
import { choiceOf, draftOf, draftSchema, KINDS, newDraft, sentenceOf, watchedBy } from "./alert-draft";

const RULES: [AlertRule, string][] = [
  [{ kind: "threshold", event: "purchase", measure: "people", comparison: "below", value: 5, window_seconds: 3_600 }, "Fewer than 5 people with purchase within 1 hour"],
  [{ kind: "threshold", event: "*", measure: "events", comparison: "above", value: 1_500, window_seconds: 300 }, "More than 1,500 events of any event within 5 minutes"],
  [{ kind: "silence", event: "purchase", window_seconds: 86_400 }, "No purchase for 1 day"],
  [{ kind: "silence", funnel_id: "f1", window_seconds: 86_400 }, "A stage of Checkout without events for 1 day"],
  [{ kind: "conversion", funnel_id: "f1", below: 12.5, people_min: 20, window_seconds: 604_800 }, "Checkout below 12.5% over 7 days"],
  [{ kind: "anomaly", event: "purchase", measure: "events", sensitivity: "high", direction: "down" }, "An unusually low day of purchase"],
  [{ kind: "anomaly", measure: "events", sensitivity: "medium", direction: "any" }, "An unusually high or low day of the most frequent events"],
];

const alertOf = (rule: AlertRule): Alert => ({ name: "Watch", rule, webhook_url: "https://hooks.example.org/a", interval_seconds: 900 }) as Alert;

test.each(RULES)("a rule comes out of the form as it went in: %j", (rule, sentence) => {
  const draft = draftOf(alertOf(rule));
  expect(draftSchema.safeParse(draft).success).toBe(true);
  expect(choiceOf(draft, true)).toEqual({ name: "Watch", rule, webhook_url: "https://hooks.example.org/a", interval_seconds: 900, is_paused: true });
  expect(sentenceOf(rule, (id) => (id === "f1" ? "Checkout" : undefined))).toBe(sentence);
});

test("a rule without a webhook keeps none", () => {
  const draft = draftOf({ ...alertOf({ kind: "anomaly" }), webhook_url: null });
  expect(draft.webhook).toBe("");
  expect(choiceOf(draft, false).webhook_url).toBeNull();
});

test("a rule about a funnel that is gone still reads", () => {
  expect(sentenceOf({ kind: "conversion", funnel_id: "gone", below: 5 }, () => undefined)).toMatch(/^a deleted funnel/);
});

test.each([
  ["threshold", { name: "n", webhook: "https://a.example", value: "1.5" }, ["value"]],
  ["threshold", { name: "n", webhook: "https://a.example", value: "" }, ["value"]],
  ["threshold", { name: " ", webhook: "ftp://a.example", value: "1" }, ["name", "webhook"]],
  ["silence", { name: "n", webhook: "https://a.example" }, ["event"]],
  ["silence", { name: "n", webhook: "https://a.example", what: "funnel" }, ["funnel"]],
  ["conversion", { name: "n", webhook: "https://a.example", funnel: "f1", below: "101", peopleMin: "0" }, ["below", "peopleMin"]],
  ["anomaly", { name: "n", webhook: "https://a.example" }, []],
  ["anomaly", { name: "n", webhook: "" }, []],
  ["anomaly", { name: "n", webhook: "https:// " }, ["webhook"]],
] as const)("%s %j has faults in %j", (kind, given, faults) => {
  const read = draftSchema.safeParse({ ...newDraft(kind), ...given });
  expect((read.error?.issues ?? []).map((issue) => issue.path[0]).sort()).toEqual([...faults]);
});

test("every kind has a new draft", () => expect(KINDS.map((kind) => newDraft(kind).kind)).toEqual(KINDS));

test.each([
  [RULES[0]?.[0], "/p/p1/events?event=purchase"],
  [RULES[1]?.[0], "/p/p1/events"],
  [RULES[2]?.[0], "/p/p1/events?event=purchase"],
  [RULES[3]?.[0], "/p/p1/funnels/f1"],
  [RULES[4]?.[0], "/p/p1/funnels/f1"],
  [RULES[5]?.[0], "/p/p1/anomalies"],
])("what %j watches is seen at %s", (rule, to) => expect(rule && watchedBy({ project_id: "p1", rule }).to).toBe(to));
