/** What the event log is asked, as the address keeps it and as the service takes it. */
import type { Condition } from "@/api/types";
import type { ReportFrame } from "@/features/report/use-report-frame";
import type { LogRow, Order } from "./event-window";

export const NAMES_MAX = 100;
export const COLUMNS_MAX = 12;

/** Fields that each row has, whatever is shown: they are its place, its name and its person. */
const ALWAYS = ["id", "created_at", "received_at", "event_type", "user_id", "anonymous_id", "is_bot"];
export const USUAL_COLUMNS = ["url", "source", "country", "browser"];
export const BUILT_IN = [
  "url", "referrer", "source", "country", "region", "city", "browser", "os", "device", "utm_source", "utm_medium", "utm_campaign",
  "utm_term", "utm_content", "user_id", "anonymous_id", "person", "session_id", "id", "received_at", "timezone", "user_agent", "ip_address",
  "is_bot", "sample_rate",
] as const;
const PROPERTY = "properties.";

export interface LogQuestion {
  project_id: string;
  start?: string;
  end?: string;
  event_type: string[];
  user_id?: string;
  filters?: string;
  exclude_bots: boolean;
}

export function readNames(search: URLSearchParams): string[] {
  return [...new Set(search.getAll("event").filter((name) => name !== ""))].slice(0, NAMES_MAX);
}

export function writeNames(search: URLSearchParams, names: readonly string[]): URLSearchParams {
  const next = new URLSearchParams(search);
  next.delete("event");
  for (const name of names) next.append("event", name);
  return next;
}

const isColumn = (name: string): boolean => (BUILT_IN as readonly string[]).includes(name) || (name.startsWith(PROPERTY) && name.length > PROPERTY.length);

/** `?column=url&column=properties.plan`; `?column=` shows none but those that always stand. */
export function readColumns(search: URLSearchParams): string[] {
  const said = search.getAll("column");
  if (said.length === 0) return USUAL_COLUMNS;
  return [...new Set(said.filter(isColumn))].slice(0, COLUMNS_MAX);
}

export function writeColumns(search: URLSearchParams, columns: readonly string[]): URLSearchParams {
  const next = new URLSearchParams(search);
  next.delete("column");
  if (columns.join("\n") === USUAL_COLUMNS.join("\n")) return next;
  if (columns.length === 0) next.set("column", "");
  for (const name of columns) next.append("column", name);
  return next;
}

export const readOrder = (search: URLSearchParams): Order => (search.get("order") === "asc" ? "asc" : "desc");

export function questionOf(frame: Pick<ReportFrame, "projectId" | "range" | "conditions" | "excludesBots">, names: readonly string[], person: string | null): LogQuestion {
  return {
    project_id: frame.projectId,
    ...(frame.range && { start: frame.range.start, end: frame.range.end }),
    event_type: [...names],
    ...(person && { user_id: person }),
    ...(frame.conditions.length > 0 && { filters: JSON.stringify(frame.conditions) }),
    exclude_bots: frame.excludesBots,
  };
}

/** The fields to ask for. A name with a comma cannot be asked for alone: then all properties come. */
export function fieldsOf(columns: readonly string[]): string[] {
  const hasComma = columns.some((name) => name.includes(","));
  const wanted = columns.filter((name) => !hasComma || !name.startsWith(PROPERTY));
  return [...new Set([...ALWAYS, ...wanted, ...(hasComma ? ["properties"] : [])])];
}

/** The address of the same events as a file. */
export function exportPath(question: LogQuestion, format: string): string {
  const query = new URLSearchParams({ project_id: question.project_id, format });
  for (const name of question.event_type) query.append("event_type", name);
  for (const name of ["start", "end", "user_id", "filters"] as const) {
    const value = question[name];
    if (value !== undefined) query.set(name, value);
  }
  if (question.exclude_bots) query.set("exclude_bots", "true");
  return `/api/v1/export?${query.toString()}`;
}

/** A value as one line of text; null of what is not there. */
export function valueOf(row: LogRow, column: string): string | null {
  let value = memberOf(row, column);
  if (value === undefined && column.startsWith(PROPERTY)) value = memberOf(row.properties, column.slice(PROPERTY.length));
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An own member: a property may be called like something that every object has. */
function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

export const columnLabel = (column: string): string => (column.startsWith(PROPERTY) ? column.slice(PROPERTY.length) : column);

export const propertyColumn = (name: string): string => PROPERTY + name;

/** Whose event it is, by the id that the event itself carries; null of an event of nobody. */
export function personOf(event: Record<string, unknown>): string | null {
  for (const name of ["user_id", "anonymous_id"]) {
    const id = event[name];
    if (typeof id === "string" && id !== "") return id;
  }
  return null;
}

/** Adds a condition, unless it is there already. */
export function withCondition(conditions: readonly Condition[], next: Condition): Condition[] {
  const same = JSON.stringify(next);
  return conditions.some((one) => JSON.stringify(one) === same) ? [...conditions] : [...conditions, next];
}
