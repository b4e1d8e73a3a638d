import { expect, test } from "vitest";
import { layoutOf } from "./flow-layout";
import { rowsOf } from "./flow-rows";
import { endHere, hide, questionOf, readFlow, startHere, writeFlow, type FlowChoice } from "./flow-state";
import type { FlowNode } from "./queries";

const node = (id: number, depth: number, name: string, entities: number, kind: FlowNode["kind"] = "value"): FlowNode => ({ id, depth, name, kind, entities, percent: entities, ends: 0, goes_on: 0 });
const FORWARD = {
  direction: "forward" as const,
  entities: 100,
  nodes: [node(0, 1, "view", 100), node(1, 2, "buy", 60), node(2, 2, "(other)", 10, "other"), node(3, 2, "(exit)", 30, "exit")],
  links: [
    { source: 0, target: 3, value: 30 },
    { source: 0, target: 1, value: 60 },
    { source: 0, target: 2, value: 10 },
  ],
};
const FRAME = { project_id: "p1", filters: [], exclude_bots: false, include: [] };
const CHOICE = readFlow(new URLSearchParams());

test("bars are as high as many are in them, names of ours stand below, who left last", () => {
  const { nodes, columns } = layoutOf(FORWARD, 800);
  expect(columns).toBe(2);
  const second = nodes.filter((one) => one.column === 1).sort((one, two) => one.y - two.y);
  expect(second.map((one) => one.name)).toEqual(["buy", "(other)", "(exit)"]);
  const [buy, other] = second;
  expect((buy?.height ?? 0) / (other?.height ?? 1)).toBeCloseTo(6);
  for (const [at, one] of second.entries()) {
    const next = second[at + 1];
    if (next) expect(next.y).toBeGreaterThanOrEqual(one.y + one.slot);
  }
});

test("strands leave a bar without gaps, in the order of what they lead to", () => {
  const { nodes, strands } = layoutOf(FORWARD, 800);
  const top = (path: string): number => Number(/^M[\d.]+,([\d.]+)/.exec(path)?.[1]);
  const from = nodes.find((one) => one.id === 0);
  const ordered = [1, 2, 3].map((target) => strands.find((one) => one.target === target));
  expect(ordered.map((one) => top(one?.path ?? ""))).toEqual([from?.y, (from?.y ?? 0) + 180, (from?.y ?? 0) + 210]);
  expect(ordered.map((one) => one?.isEnd)).toEqual([false, false, true]);
  expect(strands.reduce((sum, one) => sum + one.width, 0)).toBeCloseTo(from?.height ?? 0);
});

test("backward the end stands at the right, and who came in from nowhere stands on the left", () => {
  const backward = { direction: "backward" as const, entities: 2, nodes: [node(0, 1, "buy", 2), node(1, 2, "(entry)", 2, "entry")], links: [{ source: 1, target: 0, value: 2 }] };
  const { nodes, strands } = layoutOf(backward, 400);
  expect(nodes.map((one) => [one.name, one.column])).toEqual([["(entry)", 0], ["buy", 1]]);
  expect(strands[0]?.isEnd).toBe(true);
  expect(rowsOf(backward)).toMatchObject([{ step: "1 before", from: "Came in", to: "buy", value: 2, share: 100, isFromOurs: true, isToOurs: false }]);
});

test("a link to a node that is not there is left out, and no nodes are no diagram", () => {
  expect(layoutOf({ ...FORWARD, links: [{ source: 0, target: 9, value: 1 }] }, 800).strands).toEqual([]);
  expect(layoutOf({ direction: "forward", entities: 0, nodes: [], links: [] }, 800).nodes).toEqual([]);
});

test("rows say the share of the step before, most first", () => {
  expect(rowsOf(FORWARD).map((row) => [row.to, row.value, row.share])).toEqual([["buy", 60, 60], ["Left", 30, 30], ["(other)", 10, 10]]);
});

const FULL: FlowChoice = { ...CHOICE, mode: "between", start: { event: "a", filters: [{ property: "p", op: "exists" }] }, end: { event: "/thanks", filters: [] }, unit: "user", nodes: "page", depth: 6, top: 15, isCollapsed: false, hidden: ["x", "שלום&=#"], view: "table" };

test("the address holds the whole question", () => {
  expect(readFlow(writeFlow(new URLSearchParams("range=7d"), FULL))).toEqual(FULL);
  expect(writeFlow(new URLSearchParams("range=7d"), CHOICE).toString()).toBe("range=7d");
  const drop = { ...CHOICE, mode: "drop" as const, funnel: "f1", stage: 2 };
  expect(readFlow(writeFlow(new URLSearchParams(), drop))).toEqual(drop);
});

test.each(["99", "x", "-1", "0"])("depth and stage of %j are the usual ones", (said) => {
  expect(readFlow(new URLSearchParams({ depth: said, top: said, stage: said }))).toMatchObject({ depth: 4, top: 5, stage: 1 });
});

test.each<[Partial<FlowChoice>, object | null]>([
  [{}, { depth: 4, top: 5, collapse: true, unit: "session", nodes: "event", exclude_events: [] }],
  [{ mode: "start" }, null],
  [{ mode: "between", start: { event: "a", filters: [] } }, null],
  [{ mode: "drop" }, null],
  [{ mode: "drop", funnel: "f1", stage: 2 }, { after_drop: { funnel_id: "f1", stage: 2 } }],
  [{ mode: "end", end: { event: "/thanks", filters: [] } }, { end: { page: "/thanks", filters: [] } }],
])("%j asks %j", (over, question) => {
  const asked = questionOf({ ...CHOICE, ...over }, FRAME);
  if (question === null) expect(asked).toBeNull();
  else expect(asked).toMatchObject(question);
});

test("a node leads on: from it, to it, or without it", () => {
  expect(startHere(FULL, "b")).toMatchObject({ mode: "start", start: { event: "b", filters: [] } });
  expect(endHere(FULL, "b")).toMatchObject({ mode: "end", end: { event: "b", filters: [] } });
  expect(hide(hide(CHOICE, "b"), "b").hidden).toEqual(["b"]);
});
