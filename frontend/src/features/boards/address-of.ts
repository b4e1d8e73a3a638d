/** The page that asks a saved question, with its state in the address, in the page's own hand. What an address cannot say is left out. */
import type { ViewKind, ViewRange } from "@/api/saved-types";
import type { Condition } from "@/api/types";
import { paths } from "@/app/paths";
import { writeNames } from "@/features/events/log-question";
import { DEPTHS, TOPS, writeFlow, type Mode } from "@/features/flows/flow-state";
import { withParts } from "@/features/funnels/view-state";
import { isCondition, writeConditions } from "@/features/report/conditions";
import type { EventChoice } from "@/features/report/event-choice";
import { isInterval } from "@/features/report/places";
import { writeCompare, type CompareChoice } from "@/features/report/range-state";
import { INTERVALS, PERIODS_DEFAULT, writeRetention } from "@/features/retention/retention-state";
import { LISTS } from "@/features/sessions/session-math";
import { boundedLimit, KINDS, MEASURES, seriesTitle, writeTrends, type SeriesChoice } from "@/features/trends/trend-state";
import type { Day } from "@/lib/dates";
import { choiceOfRange, hasDates, sayRange } from "./ranges";

interface Asked {
  kind: ViewKind;
  question: Record<string, unknown>;
  range?: ViewRange | null | undefined;
  view?: Record<string, unknown>;
}

type Fields = Record<string, unknown>;

const record = (value: unknown): Fields => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const conditions = (value: unknown): Condition[] => list(value).filter(isCondition);

/** Null of a note, which is nowhere but on its board. */
export function addressOf(projectId: string, asked: Asked, today: Day): string | null {
  const page = pageOf(projectId, asked);
  if (page === null) return null;
  const said = withDays(withFrame(partsOf(asked), asked), asked, today).toString();
  return said === "" ? page : `${page}?${said}`;
}

function pageOf(projectId: string, { kind, question }: Asked): string | null {
  if (kind === "note") return null;
  if (kind === "funnel") return paths.funnel(projectId, text(question.funnel_id));
  return { trends: paths.trends, retention: paths.retention, paths: paths.flows, sessions: paths.sessions, overview: paths.overview, events: paths.events }[kind](projectId);
}

function withDays(search: URLSearchParams, { kind, question, range }: Asked, today: Day): URLSearchParams {
  if (range) return sayRange(search, choiceOfRange(range, today));
  if (!hasDates(kind, question)) return search;
  const [start, end] = kind === "events" ? [question.start, question.end] : [question.start_date, question.end_date];
  return sayRange(search, choiceOfRange({ start_date: text(start).slice(0, 10) || null, end_date: text(end).slice(0, 10) || null }, today));
}

/** Pages that compare, and with what when their address does not say. */
const COMPARING: Partial<Record<ViewKind, "none" | "previous">> = { trends: "none", sessions: "previous", overview: "previous" };

function withFrame(search: URLSearchParams, { kind, question }: Asked): URLSearchParams {
  const next = writeConditions(search, conditions(question.filters));
  if (question.exclude_bots === true) next.set("bots", "no");
  const unsaid = COMPARING[kind];
  return unsaid === undefined ? next : writeCompare(next, comparison(question), unsaid);
}

function comparison(question: Fields): CompareChoice {
  if (![question.include].flat().includes("compare")) return { with: "none" };
  const [start, end] = [text(question.compare_start), text(question.compare_end)];
  return start && end ? { with: "custom", range: { start, end } } : { with: "previous" };
}

function partsOf({ kind, question, view = {} }: Asked): URLSearchParams {
  const empty = new URLSearchParams();
  switch (kind) {
    case "trends":
      return trendsParts(empty, question, view);
    case "retention":
      return retentionParts(empty, question, view);
    case "paths":
      return flowParts(empty, question, view);
    case "events":
      return withParts(writeNames(empty, list(question.event_type).map(text)), { person: text(question.user_id), order: question.order === "asc" ? "asc" : null });
    case "funnel":
      return withParts(empty, { by: groupsOf(question.breakdown)?.property ?? null, attribution: text(question.attribution), interval: text(question.trend) });
    case "sessions":
      return sessionParts(empty, text(question.breakdown));
    default:
      return withParts(empty, { interval: isInterval(question.interval) ? question.interval : null });
  }
}

/** The card of the page that has this list opens it; its first list is open by itself. */
function sessionParts(search: URLSearchParams, breakdown: string): URLSearchParams {
  const found = Object.entries(LISTS).find(([, tabs]) => (tabs as readonly string[]).includes(breakdown));
  return found && found[1][0] !== breakdown ? withParts(search, { [found[0]]: breakdown }) : search;
}

function groupsOf(breakdown: unknown): { property: string; limit: unknown } | null {
  const { property, limit } = typeof breakdown === "string" ? { property: breakdown, limit: undefined } : record(breakdown);
  return text(property) === "" ? null : { property: text(property), limit };
}

/** A matcher may be written as the name alone. Of several events the first is told. */
function eventOf(value: unknown): EventChoice {
  const matcher = typeof value === "string" ? { event: value } : record(value);
  return { event: text(matcher.page) || text(matcher.event) || text(list(matcher.events)[0]), filters: conditions(matcher.filters) };
}

/** Any event is what these pages show when the address says none. */
function matcherOf(value: unknown): EventChoice {
  const choice = eventOf(value);
  return choice.event === "*" ? { ...choice, event: "" } : choice;
}

/** An end of the paths that is said must stay said: nothing at all is not chosen there. */
function chosenOf(value: unknown): EventChoice {
  const choice = eventOf(value);
  return choice.filters.length > 0 ? matcherOf(value) : choice;
}

function trendsParts(search: URLSearchParams, question: Fields, view: Fields): URLSearchParams {
  const series = list(question.series).map((value): SeriesChoice => {
    const one = record(value);
    const { event, filters } = eventOf(one);
    const choice = { event: event || "*", measure: MEASURES.find((known) => known === one.measure) ?? "events", property: text(one.property), name: "", filters };
    return { ...choice, name: text(one.name) === seriesTitle(choice) ? "" : text(one.name) };
  });
  const groups = groupsOf(question.breakdown);
  return writeTrends(search, {
    series,
    formulas: list(question.formulas).map((value) => ({ expression: text(record(value).expression), name: text(record(value).name) })),
    groups: groups && { property: groups.property, limit: boundedLimit(groups.limit ?? Number.NaN) },
    interval: isInterval(question.interval) ? question.interval : null,
    kind: KINDS.find((one) => one === view.chart) ?? "line",
  });
}

function retentionParts(search: URLSearchParams, question: Fields, view: Fields): URLSearchParams {
  const interval = INTERVALS.find((one) => one === question.interval) ?? "day";
  const groups = groupsOf(question.breakdown);
  return writeRetention(search, {
    start: matcherOf(question.start),
    back: matcherOf(question.return),
    interval,
    periods: Number(question.periods ?? PERIODS_DEFAULT[interval]),
    isFirstEver: question.kind === "first_ever",
    isRolling: question.mode === "rolling",
    isOnOrAfter: question.on_or_after === true,
    groups: groups && { property: groups.property, limit: Number(groups.limit ?? 5) },
    show: view.show === "count" ? "count" : "percent",
    view: view.view === "map" || view.view === "curve" ? view.view : groups ? "curve" : "map",
    group: "",
  });
}

function flowParts(search: URLSearchParams, question: Fields, view: Fields): URLSearchParams {
  const drop = record(question.after_drop);
  const has = (value: unknown): boolean => value !== undefined && value !== null;
  const [hasStart, hasEnd] = [has(question.start), has(question.end)];
  const mode: Mode = text(drop.funnel_id) ? "drop" : hasStart && hasEnd ? "between" : hasStart ? "start" : hasEnd ? "end" : "free";
  return writeFlow(search, {
    mode,
    start: chosenOf(question.start),
    end: chosenOf(question.end),
    funnel: text(drop.funnel_id),
    stage: Number(drop.stage ?? 1),
    unit: question.unit === "user" ? "user" : "session",
    nodes: question.nodes === "page" ? "page" : "event",
    depth: nearest(DEPTHS, question.depth, 4),
    top: nearest(TOPS, question.top, 5),
    isCollapsed: question.collapse !== false,
    hidden: list(question.exclude_events).map(text),
    view: view.view === "table" ? "table" : "chart",
  });
}

/** The page offers some of the numbers that the service takes. */
function nearest(known: readonly number[], value: unknown, unsaid: number): number {
  const wanted = typeof value === "number" ? value : unsaid;
  return known.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));
}
