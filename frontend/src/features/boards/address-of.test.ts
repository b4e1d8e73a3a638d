import type { Condition } from "@/api/types";
import { readNames, readOrder } from "@/features/events/log-question";
import { questionOf as flowQuestion, readFlow } from "@/features/flows/flow-state";
import { readGrouping, readInterval } from "@/features/funnels/view-state";
import { readConditions } from "@/features/report/conditions";
import { readCompare, readRange } from "@/features/report/range-state";
import { questionOf as retentionQuestion, readRetention } from "@/features/retention/retention-state";
import { questionOf as trendsQuestion, readTrends } from "@/features/trends/trend-state";
import { expect, test } from "vitest";
import { addressOf } from "./address-of";

type Asked = Parameters<typeof addressOf>[1];

const TODAY = "2026-11-21";
const PAID: Condition = { property: "plan", op: "eq", value: "paid & more" };
const FRAME = { project_id: "p1", filters: [PAID], exclude_bots: true, include: [] };

/** The address as the page that it leads to reads it. */
function opened(asked: Asked): { page: string; search: URLSearchParams } {
  const url = new URL(addressOf("p1", asked, TODAY) ?? "", "http://x");
  return { page: url.pathname, search: url.searchParams };
}

test.each([
  { series: [{ event: "buy", measure: "people" }], interval: "day" },
  { series: [{ page: "/cart", measure: "events", filters: [PAID] }, { event: "*", measure: "p90", property: "price", name: "Slow" }], formulas: [{ expression: "A/B", name: "Share" }], interval: "week", breakdown: { property: "column:country", limit: 12 } },
])("the page of trends asks the same again: %j", (question) => {
  const { page, search } = opened({ kind: "trends", question: { ...FRAME, ...question }, view: { chart: "bar" } });
  const choice = readTrends(search);
  const asked = trendsQuestion(choice, FRAME, null);
  expect(page).toBe("/p/p1/trends");
  expect(choice.kind).toBe("bar");
  expect(asked).toMatchObject(question);
  // What the page would save again has the same address: nothing is lost on the way.
  expect(addressOf("p1", { kind: "trends", question: { ...asked }, view: { chart: "bar" } }, TODAY)).toBe(page + `?${search.toString()}`);
});

test.each([
  { start: { event: "*", filters: [] }, interval: "week", periods: 6, kind: "first_in_range", mode: "calendar", on_or_after: false },
  { start: { event: "sign_up", filters: [PAID] }, return: { page: "/app", filters: [] }, interval: "month", periods: 12, kind: "first_ever", mode: "rolling", on_or_after: true, breakdown: { property: "plan", limit: 9 } },
])("the page of retention asks the same again: %j", (question) => {
  const { page, search } = opened({ kind: "retention", question: { ...FRAME, ...question }, view: { show: "count" } });
  expect(page).toBe("/p/p1/retention");
  expect(retentionQuestion(readRetention(search), FRAME)).toEqual({ ...FRAME, ...question });
  expect(readRetention(search).show).toBe("count");
});

test.each([
  { unit: "session", nodes: "event", depth: 4, top: 5, collapse: true, exclude_events: [] },
  { start: { page: "/a", filters: [PAID] }, end: { event: "buy", filters: [] }, unit: "user", nodes: "page", depth: 8, top: 20, collapse: false, exclude_events: ["scroll", "a,b"] },
  { end: { event: "*", filters: [PAID] }, unit: "session", nodes: "event", depth: 3, top: 3, collapse: true, exclude_events: [] },
  { start: { event: "*", filters: [] }, unit: "session", nodes: "event", depth: 3, top: 3, collapse: true, exclude_events: [] },
  { after_drop: { funnel_id: "f1", stage: 3 }, unit: "session", nodes: "event", depth: 4, top: 5, collapse: true, exclude_events: [] },
])("the page of paths asks the same again: %j", (question) => {
  const { page, search } = opened({ kind: "paths", question: { ...FRAME, ...question }, view: { view: "table" } });
  expect(page).toBe("/p/p1/paths");
  expect(flowQuestion(readFlow(search), FRAME)).toEqual({ ...FRAME, ...question });
  expect(readFlow(search).view).toBe("table");
});

test("the event log, a funnel and the lists of sessions open as they were asked", () => {
  const log = opened({ kind: "events", question: { event_type: ["a", "b"], user_id: "ann", order: "asc", start: "2026-11-01", end: "2026-11-02" } }).search;
  expect([readNames(log), log.get("person"), readOrder(log), readRange(log)]).toEqual([["a", "b"], "ann", "asc", { preset: "custom", range: { start: "2026-11-01", end: "2026-11-02" } }]);
  const funnel = opened({ kind: "funnel", question: { funnel_id: "f1", trend: "week", breakdown: "plan", attribution: "step:2" }, range: { preset: "7d" } });
  expect(funnel.page).toBe("/p/p1/funnels/f1");
  expect([readInterval(funnel.search), readGrouping(funnel.search, null), readRange(funnel.search)]).toEqual(["week", { property: "plan", attribution: "step:2" }, { preset: "7d" }]);
  const sessions = (breakdown: string): string | null => addressOf("p1", { kind: "sessions", question: { breakdown, include: ["compare"] } }, TODAY);
  expect(sessions("os")).toBe("/p/p1/sessions?places=os");
  expect(sessions("channel")).toBe("/p/p1/sessions");
});

test.each(["trends", "sessions", "overview"] as const)("filters, bots and the comparison of %s", (kind) => {
  const unsaid = kind === "trends" ? "none" : "previous";
  const read = (question: Record<string, unknown>) => readCompare(opened({ kind, question: { ...FRAME, ...question } }).search, unsaid);
  expect(read({})).toEqual({ with: "none" });
  expect(read({ include: ["compare"] })).toEqual({ with: "previous" });
  const range = { start: "2026-01-01", end: "2026-01-07" };
  expect(read({ include: ["compare"], compare_start: range.start, compare_end: range.end })).toEqual({ with: "custom", range });
  const { search } = opened({ kind, question: FRAME });
  expect([readConditions(search), search.get("bots")]).toEqual([[PAID], "no"]);
});

test("a note has no page, and junk in a question breaks none", () => {
  expect(addressOf("p1", { kind: "note", question: { text: "x" } }, TODAY)).toBeNull();
  expect(addressOf("p1", { kind: "retention", question: { start: 7, periods: "x", filters: "y", breakdown: [] } }, TODAY)).toMatch(/^\/p\/p1\/retention/);
});
