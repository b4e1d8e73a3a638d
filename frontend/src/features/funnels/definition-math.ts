/** Between a stored funnel definition and what the builder edits. Parts the builder does not show are kept as they came. */
import type { FunnelDefinition, FunnelStage } from "@/api/types";
import { t } from "@/lib/strings";
import { z } from "zod";

export const OPERATORS = Object.keys(t.builder.operators) as Operator[];
export type Operator = keyof typeof t.builder.operators;
export const STAGES_MAX = 20;
const VALUELESS = new Set<string>(["exists", "not_exists"]);
const LISTS = new Set<string>(["in", "not_in"]);
const NUMERIC = new Set<string>(["gt", "gte", "lt", "lte"]);

export const takesValue = (operator: string): boolean => !VALUELESS.has(operator);
export const takesList = (operator: string): boolean => LISTS.has(operator);

export const UNIT_SECONDS = { minutes: 60, hours: 3_600, days: 86_400 } as const;
export type WindowUnit = keyof typeof UNIT_SECONDS | "none";
const WINDOW_SECONDS_MAX = 10_000_000_000;

const filterDraft = z.object({
  property: z.string(),
  op: z.string(),
  value: z.string(),
  kind: z.enum(["text", "number", "boolean"]),
});

const stageDraft = z
  .object({
    name: z.string().max(200, t.builder.invalid.long),
    kind: z.enum(["event", "page"]),
    events: z.array(z.object({ name: z.string() })).min(1),
    page: z.string(),
    filters: z.array(filterDraft),
    kept: z.record(z.string(), z.unknown()),
  })
  .superRefine((stage, context) => {
    const fault = (path: (string | number)[], message: string): void => context.addIssue({ code: "custom", path, message });
    if (stage.kind === "event" && namedEvents(stage).length === 0) fault(["events", 0, "name"], t.builder.invalid.event);
    if (stage.kind === "page" && !stage.page.trim().startsWith("/")) fault(["page"], t.builder.invalid.page);
    stage.filters.forEach((filter, index) => {
      if (filter.property.trim() === "") fault(["filters", index, "property"], t.builder.invalid.property);
      if (!takesValue(filter.op)) return;
      if (filter.value.trim() === "") fault(["filters", index, "value"], t.builder.invalid.value);
      else if (NUMERIC.has(filter.op) && Number.isNaN(Number(filter.value))) fault(["filters", index, "value"], t.builder.invalid.number);
    });
  });

export const draftSchema = z
  .object({
    name: z.string().trim().min(1, t.builder.invalid.name).max(200, t.builder.invalid.long),
    description: z.string(),
    windowAmount: z.string(),
    windowUnit: z.enum(["minutes", "hours", "days", "none"]),
    stages: z.array(stageDraft).min(2, t.builder.invalid.two).max(STAGES_MAX, t.builder.invalid.many),
    kept: z.record(z.string(), z.unknown()),
  })
  .superRefine((draft, context) => {
    const seconds = windowSeconds(draft);
    if (seconds !== null && !(Number.isInteger(seconds) && seconds > 0 && seconds <= WINDOW_SECONDS_MAX)) {
      context.addIssue({ code: "custom", path: ["windowAmount"], message: t.builder.invalid.window });
    }
  });

export type Draft = z.infer<typeof draftSchema>;
export type StageDraft = Draft["stages"][number];
export type FilterDraft = StageDraft["filters"][number];

export type Definition = Omit<FunnelDefinition, "project_id">;
type Condition = NonNullable<FunnelStage["filters"]>[number];

/** A stage as it is stored, with whatever fields a later service knows. */
interface StoredStage {
  name: string;
  order?: number | null;
  event?: string | null;
  events?: readonly string[] | null;
  page?: string | null;
  filters?: readonly unknown[];
}

export interface StoredFunnel {
  name: string;
  description?: string | null;
  stages: readonly StoredStage[];
  window_seconds?: number | null;
}

export function emptyStage(): StageDraft {
  return { name: "", kind: "event", events: [{ name: "" }], page: "", filters: [], kept: {} };
}

export function emptyFilter(): FilterDraft {
  return { property: "", op: "eq", value: "", kind: "text" };
}

export function emptyDraft(): Draft {
  return { name: "", description: "", windowAmount: "7", windowUnit: "days", stages: [emptyStage(), emptyStage()], kept: {} };
}

export function windowSeconds(draft: Pick<Draft, "windowAmount" | "windowUnit">): number | null {
  if (draft.windowUnit === "none") return null;
  if (draft.windowAmount.trim() === "") return Number.NaN;
  return Number(draft.windowAmount) * UNIT_SECONDS[draft.windowUnit];
}

/** The largest unit that keeps the window whole; odd seconds become a fraction of minutes. */
export function windowFields(seconds: number | null): Pick<Draft, "windowAmount" | "windowUnit"> {
  if (seconds === null) return { windowAmount: "", windowUnit: "none" };
  const unit = (["days", "hours", "minutes"] as const).find((one) => seconds % UNIT_SECONDS[one] === 0) ?? "minutes";
  return { windowAmount: String(seconds / UNIT_SECONDS[unit]), windowUnit: unit };
}

export function namedEvents(stage: Pick<StageDraft, "events">): string[] {
  return [...new Set(stage.events.map((event) => event.name.trim()).filter((name) => name !== ""))];
}

/** The name a stage gets when the person leaves it empty. */
export function stageTitle(stage: Pick<StageDraft, "name" | "kind" | "events" | "page">): string {
  return stage.name.trim() || (stage.kind === "page" ? stage.page.trim() : namedEvents(stage).join(" / "));
}

function filterDefinition(filter: FilterDraft): Condition {
  const property = filter.property.trim();
  const op = filter.op as Operator;
  if (!takesValue(filter.op)) return { property, op };
  if (takesList(filter.op)) {
    const values = filter.value.split(",").map((one) => one.trim());
    return { property, op, value: values.filter((one) => one !== "").map((one) => typed(one, filter)) };
  }
  return { property, op, value: typed(filter.value.trim(), filter) };
}

function typed(value: string, filter: FilterDraft): string | number | boolean {
  if (NUMERIC.has(filter.op) || (filter.kind === "number" && !Number.isNaN(Number(value)))) return Number(value);
  if (filter.kind === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

function isPlainFilter(filter: unknown): filter is { property: string; op: string; value?: unknown } {
  if (typeof filter !== "object" || filter === null || !("property" in filter) || !("op" in filter)) return false;
  return typeof filter.property === "string" && OPERATORS.includes(filter.op as Operator);
}

function filterDraftFrom(filter: { property: string; op: string; value?: unknown }): FilterDraft {
  const first: unknown = Array.isArray(filter.value) ? filter.value[0] : filter.value;
  const kind = typeof first === "number" ? "number" : typeof first === "boolean" ? "boolean" : "text";
  const value = Array.isArray(filter.value) ? filter.value.join(", ") : String(filter.value ?? "");
  return { property: filter.property, op: filter.op, value, kind };
}

function stageDefinition(stage: StageDraft, index: number): FunnelStage {
  const names = namedEvents(stage);
  const { filters: keptFilters, ...kept } = stage.kept;
  const filters = [...stage.filters.map(filterDefinition), ...(Array.isArray(keptFilters) ? (keptFilters as Condition[]) : [])];
  return {
    ...kept,
    name: stageTitle(stage),
    order: index + 1,
    ...(stage.kind === "page" ? { page: stage.page.trim() } : names.length === 1 ? { event: names[0] ?? "" } : { events: names }),
    ...(filters.length > 0 && { filters }),
  };
}

export function definitionFrom(draft: Draft): Definition {
  return {
    ...draft.kept,
    name: draft.name.trim(),
    description: draft.description.trim(),
    stages: draft.stages.map(stageDefinition),
    window_seconds: windowSeconds(draft),
  };
}

const present = (entry: [string, unknown]): boolean => entry[1] !== null && entry[1] !== undefined;

function stageDraftFrom(stage: StoredStage): StageDraft {
  const { name, event, events, page, filters, ...rest } = stage;
  const all = filters ?? [];
  const nested = all.filter((filter) => !isPlainFilter(filter));
  const kept = Object.fromEntries(Object.entries(rest).filter((entry) => present(entry) && entry[0] !== "order"));
  const names = [event, ...(events ?? [])].filter((one): one is string => typeof one === "string");
  const isPage = typeof page === "string" && names.length === 0;
  const title = isPage ? page : names.join(" / ");
  return {
    name: name === title ? "" : name,
    kind: isPage ? "page" : "event",
    events: names.length > 0 ? names.map((one) => ({ name: one })) : [{ name: "" }],
    page: isPage ? page : "",
    filters: all.filter(isPlainFilter).map(filterDraftFrom),
    // A stage of an event on a page keeps its page although the builder shows only the event.
    kept: { ...kept, ...(!isPage && typeof page === "string" && { page }), ...(nested.length > 0 && { filters: nested }) },
  };
}

/** Fields the service adds by itself and refuses to take back. */
const SERVICE_FIELDS = new Set(["id", "project_id", "organization_id", "created_at", "updated_at", "created_by", "version"]);

export function draftFrom(funnel: StoredFunnel): Draft {
  const { name, description, stages, window_seconds, ...rest } = funnel;
  const kept = Object.entries(rest).filter((entry) => present(entry) && !SERVICE_FIELDS.has(entry[0]));
  const ordered = [...stages].sort((one, two) => (one.order ?? 0) - (two.order ?? 0));
  return {
    name,
    description: description ?? "",
    ...windowFields(window_seconds ?? null),
    stages: ordered.map(stageDraftFrom),
    kept: Object.fromEntries(kept),
  };
}

export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const next = [...items];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(to, 0, item);
  return next;
}

/** `/stages/1/filters/0/value` of an error answer to the draft's path; stage-level event faults land on the first event. */
export function draftPath(pointer: string): string {
  const parts = pointer.replace(/^\/(body\/)?/, "").split("/");
  if (parts[0] === "window_seconds") return "windowAmount";
  if (parts[0] === "stages" && parts[2] === "event") return `stages.${parts[1]}.events.0.name`;
  return parts.join(".");
}
