/** The question of the paths page as its address says it. */
import { readConditions } from "@/features/report/conditions";
import { matcherOf, type EventChoice } from "@/features/report/event-choice";
import type { FrameQuestion } from "@/features/report/use-report-frame";
import type { PathsQuestion } from "./queries";
import { words } from "./words";

export type Mode = keyof typeof words.modes;
export const MODES = Object.keys(words.modes) as Mode[];
export const DEPTHS = [3, 4, 5, 6, 8, 10] as const;
export const TOPS = [3, 5, 8, 10, 15, 20, 30] as const;
const DEPTH_DEFAULT = 4;
const TOP_DEFAULT = 5;
const HIDDEN_MAX = 100;
const STAGE_MAX = 19;

export interface FlowChoice {
  mode: Mode;
  start: EventChoice;
  end: EventChoice;
  funnel: string;
  stage: number;
  unit: "session" | "user";
  nodes: "event" | "page";
  depth: number;
  top: number;
  isCollapsed: boolean;
  hidden: string[];
  view: "chart" | "table";
}

const within = (text: string | null, known: readonly number[], fallback: number): number => known.find((one) => String(one) === text) ?? fallback;

export function readFlow(search: URLSearchParams): FlowChoice {
  const stage = Math.round(Number(search.get("stage")));
  return {
    mode: MODES.find((one) => one === search.get("way")) ?? "free",
    start: { event: search.get("start") ?? "", filters: readConditions(search, "sf") },
    end: { event: search.get("end") ?? "", filters: readConditions(search, "ef") },
    funnel: search.get("funnel") ?? "",
    stage: stage >= 1 && stage <= STAGE_MAX ? stage : 1,
    unit: search.get("unit") === "user" ? "user" : "session",
    nodes: search.get("nodes") === "page" ? "page" : "event",
    depth: within(search.get("depth"), DEPTHS, DEPTH_DEFAULT),
    top: within(search.get("top"), TOPS, TOP_DEFAULT),
    isCollapsed: search.get("repeats") !== "yes",
    hidden: [...new Set(search.getAll("hide"))].filter((one) => one !== "").slice(0, HIDDEN_MAX),
    view: search.get("view") === "table" ? "table" : "chart",
  };
}

export function writeFlow(search: URLSearchParams, choice: FlowChoice): URLSearchParams {
  const next = new URLSearchParams(search);
  const put = (name: string, value: string, unsaid: string): void => (value === unsaid ? next.delete(name) : next.set(name, value));
  const filters = ({ filters: all }: EventChoice): string => (all.length > 0 ? JSON.stringify(all) : "");
  const hasStart = choice.mode === "start" || choice.mode === "between";
  const hasEnd = choice.mode === "end" || choice.mode === "between";
  put("way", choice.mode, "free");
  put("start", hasStart ? choice.start.event : "", "");
  put("sf", hasStart ? filters(choice.start) : "", "");
  put("end", hasEnd ? choice.end.event : "", "");
  put("ef", hasEnd ? filters(choice.end) : "", "");
  put("funnel", choice.mode === "drop" ? choice.funnel : "", "");
  put("stage", choice.mode === "drop" ? String(choice.stage) : "1", "1");
  put("unit", choice.unit, "session");
  put("nodes", choice.nodes, "event");
  put("depth", String(choice.depth), String(DEPTH_DEFAULT));
  put("top", String(choice.top), String(TOP_DEFAULT));
  put("repeats", choice.isCollapsed ? "no" : "yes", "no");
  put("view", choice.view, "chart");
  next.delete("hide");
  for (const name of choice.hidden) next.append("hide", name);
  return next;
}

const isChosen = (one: EventChoice): boolean => one.event !== "" || one.filters.length > 0;

/** Null while an event or funnel of the sentence is still to be chosen. */
export function questionOf(choice: FlowChoice, frame: FrameQuestion): PathsQuestion | null {
  const { mode } = choice;
  const hasStart = mode === "start" || mode === "between";
  const hasEnd = mode === "end" || mode === "between";
  if ((hasStart && !isChosen(choice.start)) || (hasEnd && !isChosen(choice.end)) || (mode === "drop" && choice.funnel === "")) return null;
  return {
    ...frame,
    ...(hasStart && { start: matcherOf(choice.start) }),
    ...(hasEnd && { end: matcherOf(choice.end) }),
    ...(mode === "drop" && { after_drop: { funnel_id: choice.funnel, stage: choice.stage } }),
    unit: choice.unit,
    nodes: choice.nodes,
    depth: choice.depth,
    top: choice.top,
    collapse: choice.isCollapsed,
    exclude_events: choice.hidden,
  };
}

/** What a click on a node leads to. A page is named by its path, an event by its name. */
export const startHere = (choice: FlowChoice, name: string): FlowChoice => ({ ...choice, mode: "start", start: { event: name, filters: [] } });
export const endHere = (choice: FlowChoice, name: string): FlowChoice => ({ ...choice, mode: "end", end: { event: name, filters: [] } });
export const hide = (choice: FlowChoice, name: string): FlowChoice => ({ ...choice, hidden: [...new Set([...choice.hidden, name])].slice(0, HIDDEN_MAX) });
