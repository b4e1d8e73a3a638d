/** Conditions on events: as people edit them (text), as the address keeps them (JSON) and as the service takes them. */
import type { Condition } from "@/api/types";
import { t } from "@/lib/strings";

export const OPERATORS = Object.keys(t.builder.operators) as Operator[];
export type Operator = keyof typeof t.builder.operators;
export const CONDITIONS_MAX = 20;

const VALUELESS = new Set<string>(["exists", "not_exists"]);
const LISTS = new Set<string>(["in", "not_in"]);
const NUMERIC = new Set<string>(["gt", "gte", "lt", "lte"]);

export const takesValue = (operator: string): boolean => !VALUELESS.has(operator);
export const takesList = (operator: string): boolean => LISTS.has(operator);
export const takesNumber = (operator: string): boolean => NUMERIC.has(operator);

/** The text of a list cut where its last value begins, and that value as it is meant. A comma that is written \\, parts nothing. */
export function lastOfList(text: string): { before: string; last: string } {
  const before = /^(?:\\.|[^\\])*,\s*/s.exec(text)?.[0] ?? "";
  return { before, last: text.slice(before.length).trim().replace(/\\(.)/g, "$1") };
}

/** Values of a list as one text; a comma inside a value is written \\, so that it survives. */
export function listText(values: readonly unknown[]): string {
  return values.map((value) => String(value).replace(/[\\,]/g, "\\$&")).join(", ");
}

export function listOf(text: string): string[] {
  const values = text.match(/(?:\\.|[^\\,])+/g) ?? [];
  return values.map((value) => value.trim().replace(/\\(.)/g, "$1")).filter((value) => value !== "");
}

/** What the editor shows of a stored value. */
export function valueText(condition: Condition): string {
  const { value } = condition;
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? listText(value) : String(value);
}

/** The condition of what was typed; null when something is missing. `like` keeps the type that a value had. */
export function conditionOf(property: string, op: Operator, text: string, like?: unknown): Condition | null {
  const name = property.trim();
  if (name === "") return null;
  if (!takesValue(op)) return { property: name, op };
  const typed = text.trim();
  if (typed === "") return null;
  if (takesList(op)) return { property: name, op, value: listOf(typed) };
  if (takesNumber(op)) return Number.isNaN(Number(typed)) ? null : { property: name, op, value: Number(typed) };
  if (typeof like === "number" && String(like) === typed) return { property: name, op, value: like };
  if (typeof like === "boolean" && String(like) === typed) return { property: name, op, value: like };
  return { property: name, op, value: typed };
}

export function isCondition(value: unknown): value is Condition {
  if (typeof value !== "object" || value === null) return false;
  const { property, op } = value as Partial<Condition>;
  return typeof property === "string" && property !== "" && typeof op === "string" && Object.hasOwn(t.builder.operators, op);
}

/** The conditions of an address; anything that is none is left out. */
export function readConditions(search: URLSearchParams, name = "filters"): Condition[] {
  try {
    const read: unknown = JSON.parse(search.get(name) ?? "[]");
    return Array.isArray(read) ? read.filter(isCondition).slice(0, CONDITIONS_MAX) : [];
  } catch {
    return [];
  }
}

export function writeConditions(search: URLSearchParams, conditions: readonly Condition[], name = "filters"): URLSearchParams {
  const next = new URLSearchParams(search);
  if (conditions.length > 0) next.set(name, JSON.stringify(conditions));
  else next.delete(name);
  return next;
}

/** Another value of a property takes the place of the one before: nothing has two values at once. */
export function withValue(conditions: readonly Condition[], added: Condition): Condition[] {
  return [...conditions.filter((one) => one.property !== added.property || one.op !== added.op), added];
}

/** "column:browser" is the built-in column, whatever properties are called. */
export const propertyLabel = (property: string): string => property.replace(/^(column|property):/, "");

export const isBuiltIn = (property: string): boolean => property.startsWith("column:");
