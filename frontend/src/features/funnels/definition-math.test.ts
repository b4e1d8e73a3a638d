import { describe, expect, test } from "vitest";
import { definitionFrom, draftFrom, draftPath, moved } from "./definition-math";
import {
  changedOptions,
  draftSchema,
  emptyDraft,
  emptyExclusion,
  emptyFilter,
  emptyStage,
  spanFields,
  spanSeconds,
  stageTitle,
  windowFields,
  windowSeconds,
  type Draft,
  type StageDraft,
} from "./draft";

const event = (name: string, over: Partial<StageDraft> = {}): StageDraft => ({ ...emptyStage(), events: [{ name }], ...over });
const draft = (over: Partial<Draft> = {}): Draft => ({ ...emptyDraft(), name: "Checkout", stages: [event("view"), event("buy")], ...over });
const faults = (value: Draft): string[] => (draftSchema.safeParse(value).error?.issues ?? []).map((issue) => issue.path.join("."));

test("a draft becomes a definition with names and orders filled in", () => {
  const stages = [event(" view "), { ...emptyStage(), kind: "page" as const, page: "/cart/**", name: "Cart" }];
  expect(definitionFrom(draft({ stages, windowAmount: "2", windowUnit: "hours" }))).toEqual({
    name: "Checkout",
    description: "",
    window_seconds: 7_200,
    stages: [
      { name: "view", order: 1, event: "view" },
      { name: "Cart", order: 2, page: "/cart/**" },
    ],
  });
});

const everyOption = {
  name: "Checkout",
  description: "why",
  window_seconds: 5_400,
  range: "all_steps",
  order: "strict",
  strict_scope: "filtered",
  entry: "last",
  tie: "strict",
  count: "totals",
  unit: "session",
  sessions: "client",
  hold: ["order_id", "column:device"],
  filters: [{ property: "country", op: "in", value: ["AT", "a, b"] }, { any_of: [{ property: "x", op: "exists" }] }],
  exclusions: [
    { event: "refund", from_stage: 1, to_stage: 2, filters: [{ property: "n", op: "gt", value: 2 }] },
    { page: "/help/**", host: "shop.example", from_stage: 2 },
  ],
  exclusion_mode: "drop",
  mature_only: true,
  exclude_bots: true,
  breakdown: { property: "browser", attribution: "entry", limit: 10 },
  trend: "week",
  stages: [
    { name: "See", order: 1, events: ["view", "open"] },
    { name: "pay", order: 2, event: "pay", page: "/pay", within_seconds: 60, after_seconds: 0 },
    {
      name: "Done",
      order: 3,
      page: "https://shop.example/**",
      match: "url",
      host: "shop.example",
      optional: true,
      filters: [{ property: "plan", op: "in", value: ["pro", "team"] }, { property: "n", op: "eq", value: 3 }, { any_of: [] }],
    },
    { name: "end", order: 4, event: "end" },
  ],
};

test("a stored funnel survives opening and saving unchanged, with every option there is", () => {
  const stored = { ...everyOption, id: "f1", project_id: "p1", version: 2, created_at: "2026-01-01T00:00:00Z" };
  expect(definitionFrom(draftFrom(stored))).toEqual(everyOption);
});

test("defaults that the service writes out are not said again", () => {
  const spoken = {
    name: "x",
    window_seconds: null,
    order: "ordered",
    range: "entry",
    entry: "best",
    tie: "any",
    count: "unique",
    unit: "user",
    hold: [],
    exclusions: [],
    mature_only: false,
    breakdown: null,
    stages: [{ name: "a", order: 1, event: "a", optional: false, filters: [], within_seconds: null }],
  };
  expect(definitionFrom(draftFrom(spoken))).toEqual({ name: "x", description: "", window_seconds: null, stages: [{ name: "a", order: 1, event: "a" }] });
});

test("an option that has no meaning with another one is not sent", () => {
  const odd = draft({ order: "ordered", firstRequired: true, strictScope: "filtered", sessions: "client", exclusionMode: "drop" });
  expect(Object.keys(definitionFrom(odd)).sort()).toEqual(["description", "name", "stages", "window_seconds"]);
  expect(definitionFrom(draft({ order: "unordered", firstRequired: true }))).toMatchObject({ order: "unordered", first_required: true });
});

test("a grace is seconds", () => {
  expect(draftFrom({ name: "x", stages: [], tie: "grace:90" })).toMatchObject({ tie: "grace", grace: "90" });
  expect(definitionFrom(draft({ tie: "grace", grace: "90" })).tie).toBe("grace:90");
  expect(faults(draft({ tie: "grace", grace: "4000" }))).toEqual(["grace"]);
  expect(faults(draft({ tie: "any", grace: "" }))).toEqual([]);
});

test("an exclusion to the last stage follows the last stage", () => {
  const two = { name: "x", stages: [{ event: "a" }, { event: "b" }], exclusions: [{ event: "c", from_stage: 1, to_stage: 2 }] };
  const opened = draftFrom(two);
  expect(definitionFrom({ ...opened, stages: [...opened.stages, event("d")] }).exclusions).toEqual([{ event: "c", from_stage: 1 }]);
});

test("exclusions must end later than they begin, held properties have names", () => {
  const excluded = (from: string, to: string) => faults(draft({ exclusions: [{ ...emptyExclusion(), events: [{ name: "x" }], from, to }] }));
  expect(excluded("1", "")).toEqual([]);
  expect(excluded("2", "2")).toEqual(["exclusions.0.to"]);
  expect(excluded("1", "9")).toEqual(["exclusions.0.to"]);
  expect(faults(draft({ exclusions: [emptyExclusion()] }))).toEqual(["exclusions.0.events.0.name"]);
  expect(faults(draft({ hold: [{ name: " " }] }))).toEqual(["hold.0.name"]);
});

test("windows between stages keep their unit and may be empty", () => {
  expect(spanFields(7_200)).toEqual({ amount: "2", unit: "hours" });
  expect(spanFields(90)).toEqual({ amount: "90", unit: "seconds" });
  expect(spanFields(0)).toEqual({ amount: "0", unit: "seconds" });
  expect(spanSeconds(spanFields(null))).toBeNull();
  expect(faults(draft({ stages: [event("a"), event("b", { within: { amount: "0.5", unit: "seconds" } })] }))).toEqual(["stages.1.within.amount"]);
});

test("what differs from a plain funnel is told in words", () => {
  expect(changedOptions(draft())).toEqual([]);
  expect(changedOptions(draft({ order: "strict", hold: [{ name: "order_id" }], matureOnly: true }))).toEqual(["nothing in between", "same order_id", "closed entries only"]);
});

test("stages are edited in their order, whatever order they came in", () => {
  const stored = { name: "x", window_seconds: null, stages: [{ name: "b", order: 2, event: "b" }, { name: "a", order: 1, event: "a" }] };
  expect(draftFrom(stored).stages.map(stageTitle)).toEqual(["a", "b"]);
});

describe("window", () => {
  test.each([
    [604_800, "7", "days"],
    [5_400, "90", "minutes"],
    [7_200, "2", "hours"],
    [90, "1.5", "minutes"],
  ] as const)("%d s is %s %s and back", (seconds, windowAmount, windowUnit) => {
    expect(windowFields(seconds)).toEqual({ windowAmount, windowUnit });
    expect(windowSeconds({ windowAmount, windowUnit })).toBe(seconds);
  });
  test("no limit is null", () => expect(windowSeconds(windowFields(null))).toBeNull());
  test.each(["", "0", "-1", "abc", "99999999"])("%j days is refused", (windowAmount) => {
    expect(faults(draft({ windowAmount }))).toEqual(["windowAmount"]);
  });
});

describe("validation", () => {
  test("a good draft has no fault", () => expect(faults(draft())).toEqual([]));
  test("names what is missing where it is missing", () => {
    expect(faults(draft({ name: " " }))).toEqual(["name"]);
    expect(faults(draft({ stages: [event("a")] }))).toEqual(["stages"]);
    expect(faults(draft({ stages: [event("a"), event("")] }))).toEqual(["stages.1.events.0.name"]);
    expect(faults(draft({ stages: [event("a"), { ...emptyStage(), kind: "page", page: "cart" }] }))).toEqual(["stages.1.page"]);
  });
  test("filters need a property, and a value unless the operator takes none", () => {
    const filtered = (over: object): Draft => draft({ stages: [event("a"), event("b", { filters: [{ ...emptyFilter(), ...over }] })] });
    expect(faults(filtered({}))).toEqual(["stages.1.filters.0.property", "stages.1.filters.0.value"]);
    expect(faults(filtered({ property: "plan", op: "exists" }))).toEqual([]);
    expect(faults(filtered({ property: "price", op: "gt", value: "x" }))).toEqual(["stages.1.filters.0.value"]);
  });
});

test("moving keeps every stage once", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
});

test("pointers of the service lead to the field that shows them", () => {
  expect(draftPath("/stages/1/event")).toBe("stages.1.events.0.name");
  expect(draftPath("/window_seconds")).toBe("windowAmount");
  expect(draftPath("/body/name")).toBe("name");
  expect(draftPath("/stages/1/within_seconds")).toBe("stages.1.within.amount");
  expect(draftPath("/exclusions/0/to_stage")).toBe("exclusions.0.to");
  expect(draftPath("/exclusions/2/events")).toBe("exclusions.2.events.0.name");
  expect(draftPath("/strict_scope")).toBe("strictScope");
  expect(draftPath("/hold/1")).toBe("hold.1.name");
  expect(draftPath("/stages/0/filters/3/value")).toBe("stages.0.filters.3.value");
});
