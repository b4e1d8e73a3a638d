/** Between a stored funnel definition and what the builder edits. Parts the builder does not show are kept as they came. */
import type { FunnelDefinition, FunnelStage } from "@/api/types";
import { listOf, listText, OPERATORS, takesList, takesNumber, takesValue, type Operator } from "@/features/report/conditions";
import {
  CHOICES,
  emptyDraft,
  namedEvents,
  spanFields,
  spanSeconds,
  stageTitle,
  windowFields,
  windowSeconds,
  type Draft,
  type ExclusionDraft,
  type FilterDraft,
  type Matcher,
  type StageDraft,
} from "./draft";

export type Definition = Omit<FunnelDefinition, "project_id">;
type Condition = NonNullable<FunnelStage["filters"]>[number];
type Exclusion = NonNullable<FunnelDefinition["exclusions"]>[number];

/** A stage or an exclusion as it is stored, with whatever fields a later service knows. */
interface StoredMatcher {
  event?: string | null;
  events?: readonly string[] | null;
  page?: string | null;
  match?: string | null;
  host?: string | null;
  filters?: readonly unknown[];
}

interface StoredStage extends StoredMatcher {
  name?: string | null;
  order?: number | null;
  optional?: boolean;
  within_seconds?: number | null;
  after_seconds?: number | null;
}

interface StoredExclusion extends StoredMatcher {
  from_stage?: number | null;
  to_stage?: number | null;
}

interface StoredFunnel {
  name?: string | null;
  description?: string | null;
  stages: readonly StoredStage[];
  window_seconds?: number | null;
  filters?: readonly unknown[];
  exclusions?: readonly StoredExclusion[];
  hold?: readonly string[];
  tie?: string;
}

function filterDefinition(filter: FilterDraft): Condition {
  const property = filter.property.trim();
  const op = filter.op as Operator;
  if (!takesValue(filter.op)) return { property, op };
  if (takesList(filter.op)) return { property, op, value: listOf(filter.value).map((one) => typed(one, filter)) };
  return { property, op, value: typed(filter.value.trim(), filter) };
}

function typed(value: string, filter: FilterDraft): string | number | boolean {
  if (takesNumber(filter.op) || (filter.kind === "number" && !Number.isNaN(Number(value)))) return Number(value);
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
  const value = Array.isArray(filter.value) ? listText(filter.value) : String(filter.value ?? "");
  return { property: filter.property, op: filter.op, value, kind };
}

function matcherDefinition(one: Matcher): Omit<Exclusion, "from_stage" | "to_stage"> {
  const names = namedEvents(one);
  const { filters: keptFilters, ...kept } = one.kept;
  const filters = [...one.filters.map(filterDefinition), ...(Array.isArray(keptFilters) ? (keptFilters as Condition[]) : [])];
  const page = {
    page: one.page.trim(),
    ...(one.match === "url" && { match: one.match }),
    ...(one.host.trim() !== "" && { host: one.host.trim() }),
  };
  return {
    ...kept,
    ...(one.kind === "page" ? page : names.length === 1 ? { event: names[0] ?? "" } : { events: names }),
    ...(filters.length > 0 && { filters }),
  };
}

function stageDefinition(stage: StageDraft, index: number): FunnelStage {
  const [within, after] = [spanSeconds(stage.within), spanSeconds(stage.after)];
  return {
    ...matcherDefinition(stage),
    name: stageTitle(stage),
    order: index + 1,
    ...(stage.optional && { optional: true }),
    ...(within !== null && { within_seconds: within }),
    ...(after !== null && { after_seconds: after }),
  };
}

function exclusionDefinition(exclusion: ExclusionDraft): Exclusion {
  return {
    ...matcherDefinition(exclusion),
    from_stage: Number(exclusion.from) || 1,
    ...(exclusion.to !== "" && { to_stage: Number(exclusion.to) }),
  };
}

/** Only what differs from the service's own defaults is said, so that a definition stays readable. */
export function definitionFrom(draft: Draft): Definition {
  const usual = emptyDraft();
  const { filters: nested, ...kept } = draft.kept;
  const filters = [...draft.filters.map(filterDefinition), ...(Array.isArray(nested) ? (nested as Condition[]) : [])];
  const tie = draft.tie === "grace" ? `grace:${Number(draft.grace)}` : draft.tie;
  return {
    ...kept,
    name: draft.name.trim(),
    description: draft.description.trim(),
    stages: draft.stages.map(stageDefinition),
    window_seconds: windowSeconds(draft),
    ...(filters.length > 0 && { filters }),
    ...(draft.order !== usual.order && { order: draft.order }),
    ...(draft.order === "strict" && draft.strictScope !== usual.strictScope && { strict_scope: draft.strictScope }),
    ...(draft.order === "unordered" && draft.firstRequired && { first_required: true }),
    ...(draft.range !== usual.range && { range: draft.range }),
    ...(draft.entry !== usual.entry && { entry: draft.entry }),
    ...(draft.count !== usual.count && { count: draft.count }),
    ...(tie !== usual.tie && { tie }),
    ...(draft.unit !== usual.unit && { unit: draft.unit }),
    ...(draft.unit === "session" && draft.sessions !== usual.sessions && { sessions: draft.sessions }),
    ...(draft.hold.length > 0 && { hold: draft.hold.map((one) => one.name.trim()) }),
    ...(draft.exclusions.length > 0 && { exclusions: draft.exclusions.map(exclusionDefinition) }),
    ...(draft.exclusions.length > 0 && draft.exclusionMode !== usual.exclusionMode && { exclusion_mode: draft.exclusionMode }),
    ...(draft.matureOnly && { mature_only: true }),
    ...(draft.excludeBots && { exclude_bots: true }),
  };
}

const present = (entry: [string, unknown]): boolean => entry[1] !== null && entry[1] !== undefined;
const presentOf = (fields: object): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(present));

function matcherDraftFrom(one: StoredMatcher): Omit<Matcher, "kept"> & { unshown: Record<string, unknown> } {
  const { event, events, page, filters, match, host } = one;
  const all = filters ?? [];
  const nested = all.filter((filter) => !isPlainFilter(filter));
  const names = [event, ...(events ?? [])].filter((name): name is string => typeof name === "string");
  const isPage = typeof page === "string" && names.length === 0;
  return {
    kind: isPage ? "page" : "event",
    events: names.length > 0 ? names.map((name) => ({ name })) : [{ name: "" }],
    page: isPage ? page : "",
    match: isPage && match === "url" ? "url" : "path",
    host: isPage ? (host ?? "") : "",
    filters: all.filter(isPlainFilter).map(filterDraftFrom),
    // A stage of an event on a page keeps its page although the builder shows only the event.
    unshown: { ...(!isPage && presentOf({ page, match, host })), ...(nested.length > 0 && { filters: nested }) },
  };
}

function stageDraftFrom(stage: StoredStage): StageDraft {
  const { name, event, events, page, match, host, filters, optional, within_seconds, after_seconds, ...rest } = stage;
  const { unshown, ...shown } = matcherDraftFrom({ event, events, page, match, host, filters } as StoredMatcher);
  const title = stageTitle({ name: "", ...shown });
  return {
    ...shown,
    name: name === title ? "" : (name ?? ""),
    optional: optional ?? false,
    within: spanFields(within_seconds),
    after: spanFields(after_seconds),
    // The place in the list says the order.
    kept: { ...presentOf({ ...rest, order: null }), ...unshown },
  };
}

function exclusionDraftFrom(exclusion: StoredExclusion, stages: number): ExclusionDraft {
  const { event, events, page, match, host, filters, from_stage, to_stage, ...rest } = exclusion;
  const { unshown, ...shown } = matcherDraftFrom({ event, events, page, match, host, filters } as StoredMatcher);
  return { ...shown, from: String(from_stage ?? 1), to: to_stage && to_stage < stages ? String(to_stage) : "", kept: { ...presentOf(rest), ...unshown } };
}

/** Fields the service adds by itself and refuses to take back. */
const SERVICE_FIELDS = new Set(["id", "project_id", "organization_id", "created_at", "updated_at", "created_by", "version"]);
const CHOICE_FIELDS = {
  order: "order",
  strict_scope: "strictScope",
  range: "range",
  entry: "entry",
  count: "count",
  unit: "unit",
  sessions: "sessions",
  exclusion_mode: "exclusionMode",
} as const;
const FLAG_FIELDS = { first_required: "firstRequired", mature_only: "matureOnly", exclude_bots: "excludeBots" } as const;

export function draftFrom(funnel: StoredFunnel): Draft {
  const { name, description, stages, window_seconds, filters, exclusions, hold, tie, ...rest } = funnel;
  const draft = emptyDraft();
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(rest).filter((entry) => present(entry) && !SERVICE_FIELDS.has(entry[0]))) {
    const choice = CHOICE_FIELDS[field as keyof typeof CHOICE_FIELDS];
    const flag = FLAG_FIELDS[field as keyof typeof FLAG_FIELDS];
    if (choice && (CHOICES[choice] as readonly unknown[]).includes(value)) Object.assign(draft, { [choice]: value });
    else if (flag) draft[flag] = value === true;
    else kept[field] = value;
  }
  const nested = (filters ?? []).filter((filter) => !isPlainFilter(filter));
  const grace = /^grace:(\d+)$/.exec(tie ?? "")?.[1];
  const ordered = [...stages].sort((one, two) => (one.order ?? 0) - (two.order ?? 0));
  return {
    ...draft,
    name: name ?? "",
    description: description ?? "",
    ...windowFields(window_seconds ?? null),
    stages: ordered.map(stageDraftFrom),
    filters: (filters ?? []).filter(isPlainFilter).map(filterDraftFrom),
    exclusions: (exclusions ?? []).map((one) => exclusionDraftFrom(one, stages.length)),
    hold: (hold ?? []).map((one) => ({ name: one })),
    tie: grace !== undefined ? "grace" : tie === "strict" ? "strict" : "any",
    ...(grace !== undefined && { grace }),
    kept: { ...kept, ...(nested.length > 0 && { filters: nested }) },
  };
}

export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const next = [...items];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(to, 0, item);
  return next;
}

const FIELDS: Record<string, string> = {
  ...CHOICE_FIELDS,
  ...FLAG_FIELDS,
  window_seconds: "windowAmount",
  within_seconds: "within.amount",
  after_seconds: "after.amount",
  from_stage: "from",
  to_stage: "to",
};

/** `/stages/1/filters/0/value` of an error answer to the draft's path; event faults land on the first event. */
export function draftPath(pointer: string): string {
  const parts = pointer.replace(/^\/(body\/)?/, "").split("/");
  const [list, index, field] = parts;
  if ((list === "stages" || list === "exclusions") && (field === "event" || field === "events")) return `${list}.${index}.events.0.name`;
  if (list === "hold") return index === undefined ? "hold" : `hold.${index}.name`;
  return parts.map((part) => FIELDS[part] ?? part).join(".");
}
