/** What the builder edits: a funnel as texts and choices, and the rules that can be told without asking the service. */
import { takesNumber, takesValue } from "@/features/report/conditions";
import { t } from "@/lib/strings";
import { z } from "zod";
import { w } from "./words";

export const STAGES_MAX = 20;
export const EXCLUSIONS_MAX = 10;
export const HOLD_MAX = 3;
const WINDOW_SECONDS_MAX = 10_000_000_000;
const GRACE_SECONDS_MAX = 3_600;

const UNIT_SECONDS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 } as const;
export const WINDOW_UNITS = ["minutes", "hours", "days", "none"] as const;

const filterDraft = z.object({
  property: z.string(),
  op: z.string(),
  value: z.string(),
  kind: z.enum(["text", "number", "boolean"]),
});

/** A length of time; an empty amount is none. */
const spanDraft = z.object({ amount: z.string(), unit: z.enum(["seconds", "minutes", "hours", "days"]) });

const matcher = {
  kind: z.enum(["event", "page"]),
  events: z.array(z.object({ name: z.string() })).min(1),
  page: z.string(),
  match: z.enum(["path", "url"]),
  host: z.string(),
  filters: z.array(filterDraft),
  kept: z.record(z.string(), z.unknown()),
};

type Fault = (path: (string | number)[], message: string) => void;

function checkFilters(filters: readonly FilterDraft[], fault: Fault): void {
  filters.forEach((filter, index) => {
    if (filter.property.trim() === "") fault(["filters", index, "property"], t.builder.invalid.property);
    if (!takesValue(filter.op)) return;
    if (filter.value.trim() === "") fault(["filters", index, "value"], t.builder.invalid.value);
    else if (takesNumber(filter.op) && Number.isNaN(Number(filter.value))) fault(["filters", index, "value"], t.builder.invalid.number);
  });
}

function checkMatcher(one: Matcher, fault: Fault): void {
  if (one.kind === "event" && namedEvents(one).length === 0) fault(["events", 0, "name"], t.builder.invalid.event);
  if (one.kind === "page" && one.match === "path" && !one.page.trim().startsWith("/")) fault(["page"], t.builder.invalid.page);
  if (one.kind === "page" && one.match === "url" && one.page.trim() === "") fault(["page"], w.builder.invalid.url);
  checkFilters(one.filters, fault);
}

function checkSpan(one: SpanDraft, path: string, fault: Fault): void {
  if (one.amount.trim() === "") return;
  const seconds = spanSeconds(one);
  if (seconds === null || !Number.isInteger(seconds) || seconds < 0 || seconds > WINDOW_SECONDS_MAX) fault([path, "amount"], w.builder.invalid.span);
}

const stageDraft = z
  .object({ name: z.string().max(200, t.builder.invalid.long), ...matcher, optional: z.boolean(), within: spanDraft, after: spanDraft })
  .superRefine((stage, context) => {
    const fault: Fault = (path, message) => context.addIssue({ code: "custom", path, message });
    checkMatcher(stage, fault);
    checkSpan(stage.within, "within", fault);
    checkSpan(stage.after, "after", fault);
  });

const exclusionDraft = z.object({ ...matcher, from: z.string(), to: z.string() }).superRefine((exclusion, context) => {
  checkMatcher(exclusion, (path, message) => context.addIssue({ code: "custom", path, message }));
});

export const CHOICES = {
  order: ["ordered", "strict", "unordered"],
  strictScope: ["all", "filtered"],
  range: ["entry", "all_steps"],
  entry: ["best", "first", "last"],
  count: ["unique", "totals"],
  tie: ["any", "strict", "grace"],
  unit: ["user", "session"],
  sessions: ["derived", "client"],
  exclusionMode: ["cut", "drop"],
} as const;

export const draftSchema = z
  .object({
    name: z.string().trim().min(1, t.builder.invalid.name).max(200, t.builder.invalid.long),
    description: z.string(),
    windowAmount: z.string(),
    windowUnit: z.enum(WINDOW_UNITS),
    stages: z.array(stageDraft).min(2, t.builder.invalid.two).max(STAGES_MAX, t.builder.invalid.many),
    filters: z.array(filterDraft),
    order: z.enum(CHOICES.order),
    strictScope: z.enum(CHOICES.strictScope),
    firstRequired: z.boolean(),
    range: z.enum(CHOICES.range),
    entry: z.enum(CHOICES.entry),
    count: z.enum(CHOICES.count),
    tie: z.enum(CHOICES.tie),
    grace: z.string(),
    unit: z.enum(CHOICES.unit),
    sessions: z.enum(CHOICES.sessions),
    hold: z.array(z.object({ name: z.string() })).max(HOLD_MAX),
    exclusions: z.array(exclusionDraft).max(EXCLUSIONS_MAX),
    exclusionMode: z.enum(CHOICES.exclusionMode),
    matureOnly: z.boolean(),
    excludeBots: z.boolean(),
    kept: z.record(z.string(), z.unknown()),
  })
  .superRefine((draft, context) => {
    const fault: Fault = (path, message) => context.addIssue({ code: "custom", path, message });
    const seconds = windowSeconds(draft);
    if (seconds !== null && !(Number.isInteger(seconds) && seconds > 0 && seconds <= WINDOW_SECONDS_MAX)) {
      fault(["windowAmount"], t.builder.invalid.window);
    }
    checkFilters(draft.filters, fault);
    const grace = Number(draft.grace);
    if (draft.tie === "grace" && !(draft.grace.trim() !== "" && Number.isInteger(grace) && grace >= 0 && grace <= GRACE_SECONDS_MAX)) {
      fault(["grace"], w.builder.invalid.grace);
    }
    draft.hold.forEach((one, index) => {
      if (one.name.trim() === "") fault(["hold", index, "name"], t.builder.invalid.property);
    });
    draft.exclusions.forEach((one, index) => {
      const [from, to] = [Number(one.from), Number(one.to) || draft.stages.length];
      if (from >= to || to > draft.stages.length) fault(["exclusions", index, "to"], w.builder.invalid.between);
    });
  });

export type Draft = z.infer<typeof draftSchema>;
export type StageDraft = Draft["stages"][number];
export type ExclusionDraft = Draft["exclusions"][number];
export type FilterDraft = StageDraft["filters"][number];
type SpanDraft = StageDraft["within"];
export type Matcher = Pick<StageDraft, "kind" | "events" | "page" | "match" | "host" | "filters" | "kept">;

const emptySpan = (): SpanDraft => ({ amount: "", unit: "minutes" });
const emptyMatcher = (): Matcher => ({ kind: "event", events: [{ name: "" }], page: "", match: "path", host: "", filters: [], kept: {} });

export const emptyStage = (): StageDraft => ({ name: "", ...emptyMatcher(), optional: false, within: emptySpan(), after: emptySpan() });
export const emptyFilter = (): FilterDraft => ({ property: "", op: "eq", value: "", kind: "text" });
/** From the first stage to the last, whatever the last one is. */
export const emptyExclusion = (): ExclusionDraft => ({ ...emptyMatcher(), from: "1", to: "" });

export function emptyDraft(): Draft {
  return {
    name: "",
    description: "",
    windowAmount: "7",
    windowUnit: "days",
    stages: [emptyStage(), emptyStage()],
    filters: [],
    order: "ordered",
    strictScope: "all",
    firstRequired: false,
    range: "entry",
    entry: "best",
    count: "unique",
    tie: "any",
    grace: "2",
    unit: "user",
    sessions: "derived",
    hold: [],
    exclusions: [],
    exclusionMode: "cut",
    matureOnly: false,
    excludeBots: false,
    kept: {},
  };
}

export function windowSeconds(draft: Pick<Draft, "windowAmount" | "windowUnit">): number | null {
  if (draft.windowUnit === "none") return null;
  if (draft.windowAmount.trim() === "") return Number.NaN;
  return Number(draft.windowAmount) * UNIT_SECONDS[draft.windowUnit];
}

export function spanSeconds(span: SpanDraft): number | null {
  return span.amount.trim() === "" ? null : Number(span.amount) * UNIT_SECONDS[span.unit];
}

/** The largest unit that keeps the window whole; odd seconds become a fraction of minutes. */
export function windowFields(seconds: number | null): Pick<Draft, "windowAmount" | "windowUnit"> {
  if (seconds === null) return { windowAmount: "", windowUnit: "none" };
  const unit = (["days", "hours", "minutes"] as const).find((one) => seconds % UNIT_SECONDS[one] === 0) ?? "minutes";
  return { windowAmount: String(seconds / UNIT_SECONDS[unit]), windowUnit: unit };
}

export function spanFields(seconds: number | null | undefined): SpanDraft {
  if (seconds === null || seconds === undefined) return emptySpan();
  const unit = (["days", "hours", "minutes", "seconds"] as const).find((one) => seconds > 0 && seconds % UNIT_SECONDS[one] === 0) ?? "seconds";
  return { amount: String(seconds / UNIT_SECONDS[unit]), unit };
}

export function namedEvents(stage: Pick<StageDraft, "events">): string[] {
  return [...new Set(stage.events.map((event) => event.name.trim()).filter((name) => name !== ""))];
}

/** The name a stage gets when the person leaves it empty. */
export function stageTitle(stage: Pick<StageDraft, "name" | "kind" | "events" | "page">): string {
  return stage.name.trim() || (stage.kind === "page" ? stage.page.trim() : namedEvents(stage).join(" / "));
}

/** The options that differ from what a new funnel has, in words; what is said beside a closed list of options. */
export function changedOptions(draft: Draft): string[] {
  const said = w.builder.changed;
  return [
    draft.order === "strict" ? said.strict : draft.order === "unordered" ? said.unordered : null,
    draft.exclusions.length > 0 ? said.exclusions(draft.exclusions.length) : null,
    draft.hold.length > 0 ? said.hold(draft.hold.map((one) => one.name).join(", ")) : null,
    draft.unit === "session" ? said.session : null,
    draft.count === "totals" ? said.totals : null,
    draft.entry === "best" ? null : w.builder.entry.choices[draft.entry].label,
    draft.range === "all_steps" ? said.allSteps : null,
    draft.tie === "any" ? null : w.builder.tie.choices[draft.tie].label,
    draft.matureOnly ? said.mature : null,
    draft.excludeBots ? said.bots : null,
  ].filter((one): one is string => one !== null);
}
