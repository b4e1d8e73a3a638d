import { expect, test } from "vitest";
import { definitionFrom } from "./definition-math";
import { draftOfSeen, starterDraft } from "./starter-math";

const seen = (name: string, count: number) => ({ name, count, last_seen: null });

test("events seen become stages, most frequent first, four at most", () => {
  const draft = draftOfSeen([seen("buy", 3), seen("view", 90), seen("add", 20), seen("search", 50), seen("refund", 1)]);
  expect(definitionFrom(draft).stages.map((stage) => stage.event)).toEqual(["view", "search", "add", "buy"]);
});

test("one event leaves a second stage to choose", () => {
  const draft = draftOfSeen([seen("page_view", 9)]);
  expect(draft.stages.map((stage) => stage.events[0]?.name)).toEqual(["page_view", ""]);
});

test("an unknown starter is a blank draft", () => {
  expect(starterDraft("constructor", [], [])).toEqual(starterDraft(null, [], []));
});
