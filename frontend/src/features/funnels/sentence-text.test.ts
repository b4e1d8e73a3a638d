import { makeFunnel } from "@/test/service";
import { expect, test } from "vitest";
import { sentenceText } from "./sentence-text";

const safari = { property: "column:browser", op: "eq", value: "Mobile Safari" } as const;
const isSet = { property: "plan", op: "exists" } as const;
const buy = { name: "Buy", order: 2, event: "buy" };

test.each([
  ["nothing but the stages", {}, "People who did View then Buy within 7 days, last 30 days."],
  [
    "filters for all stages",
    { filters: [safari, isSet] },
    "People who did View then Buy within 7 days, last 30 days. At all stages only events where browser is Mobile Safari and plan is set.",
  ],
  ["filters of a stage", { stages: [{ name: "View", order: 1, event: "view", filters: [safari] }, buy] }, "People who did View (browser is Mobile Safari) then Buy within 7 days, last 30 days."],
  ["sessions in any order", { unit: "session", order: "unordered" } as const, "Sessions with View and Buy within 7 days, last 30 days."],
  ["what is left out", { exclusions: [{ event: "refund" }] }, "People who did View then Buy within 7 days, last 30 days, with 1 exclusion."],
])("the line of a picture says %s", (_what, over, said) => expect(sentenceText(makeFunnel(over as object), "last 30 days")).toBe(said));

test("a value of any length leaves room for the others", () => {
  const said = sentenceText(makeFunnel({ filters: [{ ...safari, value: "x".repeat(300) }, isSet] }), "today");
  expect(said).toMatch(/browser is x+… and plan is set\.$/);
  expect(said.length).toBeLessThan(220);
});
