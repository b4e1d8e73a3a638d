import { describe, expect, test } from "vitest";
import {
  definitionFrom,
  draftFrom,
  draftPath,
  draftSchema,
  emptyDraft,
  emptyFilter,
  emptyStage,
  moved,
  stageTitle,
  windowFields,
  windowSeconds,
  type Draft,
  type StageDraft,
} from "./definition-math";

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

test("a stored funnel survives opening and saving unchanged", () => {
  const definition = {
    name: "Checkout",
    description: "why",
    window_seconds: 5_400,
    order: "ordered",
    hold: ["order_id"],
    stages: [
      { name: "See", order: 1, events: ["view", "open"] },
      { name: "pay", order: 2, event: "pay", page: "/pay", within_seconds: 60, optional: false },
      {
        name: "Done",
        order: 3,
        page: "/done",
        filters: [{ property: "plan", op: "in", value: ["pro", "team"] }, { property: "n", op: "eq", value: 3 }, { any_of: [] }],
      },
    ],
  };
  const stored = { ...definition, id: "f1", project_id: "p1", version: 2, created_at: "2026-01-01T00:00:00Z" };
  expect(definitionFrom(draftFrom(stored))).toEqual(definition);
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
});
