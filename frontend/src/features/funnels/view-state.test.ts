import { describe, expect, test } from "vitest";
import { markedStage, readGrouping, readInterval, readLayout, readPeople, readStage, readTab, readTime, withParts, writeStage, writeTab } from "./view-state";

const at = (query: string): URLSearchParams => new URLSearchParams(query);

test("only a stage that exists is selected", () => {
  const stage = (query: string): number | null => readStage(at(query), 3);
  expect([stage("stage=2"), stage("stage=4"), stage("stage=0"), stage("stage=1.5"), stage("")]).toEqual([2, null, null, null, null]);
});

describe("tabs", () => {
  test.each([
    ["", "steps"],
    ["tab=why", "why"],
    ["tab=nonsense", "steps"],
    ["stage=2", "people"],
    ["stage=2&tab=trend", "trend"],
  ])("%j shows %s", (query, tab) => expect(readTab(at(query))).toBe(tab));

  test("what is written is read back; what is shown anyway is not written", () => {
    for (const tab of ["steps", "why", "people"] as const) {
      for (const query of ["", "stage=2", "tab=trend&stage=1"]) expect(readTab(writeTab(at(query), tab))).toBe(tab);
    }
    expect(writeTab(at("tab=why"), "steps").toString()).toBe("");
    expect(writeTab(at("stage=2&tab=why"), "people").toString()).toBe("stage=2");
  });
});

test("opening a stage shows its people and forgets the person before; closing leaves nothing behind", () => {
  expect(writeStage(at("range=7d&tab=why&person=u1"), 3, "dropped").toString()).toBe("range=7d&stage=3&side=dropped");
  expect(writeStage(at("range=7d&stage=3&side=dropped"), null).toString()).toBe("range=7d");
});

test.each([
  ["", 2, { stage: 2, side: "dropped" }],
  ["", null, { stage: 1, side: "converted" }],
  ["stage=3", 2, { stage: 3, side: "converted" }],
  ["stage=3&side=dropped", null, { stage: 3, side: "dropped" }],
  ["stage=1&side=dropped", null, { stage: 1, side: "converted" }],
  ["side=dropped_by_exclusion", 2, { stage: 1, side: "dropped_by_exclusion" }],
])("people of %j with the biggest drop at %j", (query, worst, choice) => expect(readPeople(at(query), 4, worst)).toEqual(choice));

test("groups come from the address, else from the funnel; an unknown rule is the default one", () => {
  const saved = { property: "plan", attribution: "last_known" };
  expect(readGrouping(at(""), null)).toBeNull();
  expect(readGrouping(at(""), saved)).toEqual(saved);
  expect(readGrouping(at("by=browser"), saved)).toEqual({ property: "browser", attribution: "entry" });
  expect(readGrouping(at("by=browser&attribution=step:3"), null)).toEqual({ property: "browser", attribution: "step:3" });
  expect(readGrouping(at("by=browser&attribution=step:99"), null)).toEqual({ property: "browser", attribution: "entry" });
});

test("anything unknown in the address reads as the default", () => {
  expect([readLayout(at("layout=diagonal")), readInterval(at("interval=decade"))]).toEqual(["horizontal", null]);
  expect(withParts(at("a=1&b=2"), { a: null, b: "", c: 3 }).toString()).toBe("c=3");
});

test.each([
  ["stage=3", 3, "all"],
  ["stage=3&side=dropped", 2, "all"],
  ["stage=3&side=dropped&time=left", 2, "left"],
  ["stage=3&side=dropped&time=nonsense", 2, "all"],
  ["stage=3&time=left", 3, "all"],
  ["", null, "all"],
])("%j marks column %j and shows %j", (query, marked, time) => {
  expect(markedStage(at(query), 4)).toBe(marked);
  expect(readTime(at(query), readPeople(at(query), 4, null).side)).toBe(time);
});
