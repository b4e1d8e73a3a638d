import { expect, test } from "vitest";
import { definitionFrom } from "./definition-math";
import type { Suggestions } from "@/api/types";
import { draftOfSeen, starterDraft, startersOf } from "./starter-math";

const seen = (name: string, count: number) => ({ name, count, last_seen: null });

test("events seen become stages, most frequent first, four at most", () => {
  const draft = draftOfSeen([seen("buy", 3), seen("view", 90), seen("add", 20), seen("search", 50), seen("refund", 1)]);
  expect(definitionFrom(draft).stages.map((stage) => stage.event)).toEqual(["view", "search", "add", "buy"]);
});

test("one event leaves a second stage to choose", () => {
  const draft = draftOfSeen([seen("page_view", 9)]);
  expect(draft.stages.map((stage) => stage.events[0]?.name)).toEqual(["page_view", ""]);
});

const known = { templates: [], events: [], suggestions: undefined };

test("an unknown starter is a blank draft", () => {
  for (const from of ["constructor", "way-0", "way-x"]) expect(starterDraft(from, known)).toEqual(starterDraft(null, known));
});

test("a template comes in the project's own names, a way as people go it; the list says what fits", () => {
  const template = { id: "shop", name: "Shop", description: "d", category: "c", window_seconds: 60, stages: [{ name: "View", event: "product_view" }] };
  const suggestions = {
    templates: [{ ...template, matches: { fits: "all", found: 1, needed: 1, events: {}, stages: [{ name: "View", event: "view_item" }] } }],
    funnels: [{ definition: { project_id: "p", name: "From a to b", stages: [{ event: "a" }, { event: "b" }] }, stages: [], overall_conversion_rate: 12.3, people_total: 9, open: 0 }],
    data_version: "1",
  } as unknown as Suggestions;
  const all = { templates: [template] as never, events: [seen("a", 1)], suggestions };
  expect(definitionFrom(starterDraft("shop", all)).stages[0]?.event).toBe("view_item");
  expect(definitionFrom(starterDraft("way-0", all)).stages.map((stage) => stage.event)).toEqual(["a", "b"]);
  expect(startersOf(all).map((one) => [one.from, one.detail])).toEqual([[null, null], ["seen", null], ["way-0", "12.3%"], ["shop", "1 of 1 events here"]]);
});
