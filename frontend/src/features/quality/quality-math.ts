/** Pure parts of the data-quality page: series of days, and the change between two texts of an event. */
import type { components } from "@/api/schema";
import { addDays, daysIn, type Day, type DayRange } from "@/lib/dates";
import { day, shortDay } from "@/lib/format";
import type { Place, Series } from "@/ui/chart/series";
import { reasonLabel, words } from "./words";

export type QualityDay = components["schemas"]["QualityDay"];
export type SeenEventType = components["schemas"]["SeenEventType"];

const DAYS_MAX = 366;
const REASONS_MAX = 7;
const NEW_DAYS = 7;

/** The range as the service takes it: at most 366 days; all data means the last of these. */
export function boundedRange(range: DayRange | null, today: Day): DayRange {
  const end = range?.end ?? today;
  const start = range?.start ?? addDays(today, 1 - DAYS_MAX);
  return daysIn({ start, end }) > DAYS_MAX ? { start: addDays(end, 1 - DAYS_MAX), end } : { start, end };
}

export const placesOf = (days: readonly QualityDay[], today: Day): Place[] =>
  days.map(({ date }) => ({ label: shortDay(date), title: day(date), isIncomplete: date === today }));

export const storedSeries = (days: readonly QualityDay[]): Series[] => [
  { key: "people", name: words.charts.people, color: 0, values: days.map((one) => one.stored - one.bots) },
  { key: "bots", name: words.charts.bots, color: 2, values: days.map((one) => one.bots) },
];

/** The most frequent reasons, each a series of its own; the rest together. Days of which nothing is known are gaps. */
export function refusedSeries(days: readonly QualityDay[], totals: Readonly<Record<string, number>>): Series[] {
  const reasons = Object.entries(totals).filter(([, amount]) => amount > 0).sort((one, two) => two[1] - one[1] || one[0].localeCompare(two[0]));
  const named = reasons.slice(0, REASONS_MAX).map(([reason]) => reason);
  const rest = reasons.slice(REASONS_MAX).map(([reason]) => reason);
  const value = (one: QualityDay, of: readonly string[]): number | null =>
    one.is_refused_known ? of.reduce((sum, reason) => sum + (one.reasons[reason] ?? 0), 0) : null;
  const series = named.map((reason, index) => ({ key: reason, name: reasonLabel(reason), color: index, values: days.map((one) => value(one, [reason])) }));
  if (rest.length === 0) return series;
  return [...series, { key: "other", name: words.other, color: REASONS_MAX, values: days.map((one) => value(one, rest)) }];
}

/** The first day of which the refused events are known, when there are days before it. */
export function knownSince(days: readonly QualityDay[]): Day | null {
  const first = days.findIndex((one) => one.is_refused_known);
  return first > 0 ? (days[first]?.date ?? null) : null;
}

export const conflictsOf = (one: SeenEventType): number => one.properties.filter((property) => property.is_conflict).length;

export const isNew = (one: SeenEventType, now: Date): boolean => now.getTime() - Date.parse(one.first_seen) < NEW_DAYS * 86_400_000;

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

export type EventText = { event: JsonObject } | { fault: string };

export function readEvent(text: string): EventText {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? { event: value } : { fault: words.row.notObject };
  } catch (error) {
    return { fault: words.row.notJson(error instanceof Error ? error.message : "") };
  }
}

/** Indented, for a person to edit; what is no JSON stays as it is. */
export function prettyEvent(text: string): string {
  const read = readEvent(text);
  return "event" in read ? JSON.stringify(read.event, null, 2) : text;
}

/**
 * The merge patch (RFC 7396) that makes `to` of `from`; null when there is none: a patch takes members that are null
 * away, so none can be written.
 */
export function mergePatch(from: JsonObject, to: JsonObject): JsonObject | null {
  const patch: JsonObject = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    if (same(before, value)) continue;
    if (value === null) return null;
    if (!isObject(value)) {
      set(patch, name, value);
      continue;
    }
    // An object that replaces something else is written whole, member by member.
    const inner = mergePatch(isObject(before) ? before : {}, value);
    if (inner === null) return null;
    set(patch, name, inner);
  }
  return patch;
}

// A member called __proto__ is a member like others.
function set(patch: JsonObject, name: string, value: Json): void {
  Object.defineProperty(patch, name, { value, enumerable: true, configurable: true, writable: true });
}

function same(one: Json | undefined, two: Json): boolean {
  if (isObject(one) && isObject(two)) {
    const names = Object.keys(one);
    return names.length === Object.keys(two).length && names.every((name) => Object.hasOwn(two, name) && same(one[name], two[name] as Json));
  }
  if (Array.isArray(one) && Array.isArray(two)) return one.length === two.length && one.every((value, index) => same(value, two[index] as Json));
  return one === two;
}

/** A member as people call it: without its place in the request, parts joined by dots. */
export const fieldOf = (pointer: string): string => pointer.replace(/^\/(?:events|batch|e)\/\d+(?=\/)/, "").slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")).join(".");

export const isPointer = (text: string): boolean => /^\/.{1,400}$/s.test(text.trim());

/** The merge patch that sets one member: `/properties/price` and 5 are `{"properties": {"price": 5}}`. */
export function patchAt(pointer: string, value: Json): JsonObject {
  const names = pointer.trim().slice(1).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const made = names.reduceRight<Json>((inner, name) => {
    const outer: JsonObject = {};
    set(outer, name, inner);
    return outer;
  }, value);
  return made as JsonObject;
}
