/** Between the settings of a project and what their forms edit: numbers as text, rules and schemas as rows. */
import type { components } from "@/api/schema";
import type { Project, ProjectKey } from "@/api/types";
import { percent } from "@/lib/format";
import { words } from "../words";

type Sampling = components["schemas"]["SamplingChoice"];
type Schema = components["schemas"]["SchemaChoice"];

export const SECTIONS = ["general", "keys", "origins", "limits", "sampling", "privacy", "retention", "schemas", "danger"] as const;
export type Section = (typeof SECTIONS)[number];

export const sectionOf = (asked: string | null): Section => SECTIONS.find((one) => one === asked) ?? "general";

/** A whole number above zero; empty is null (no limit), everything else undefined. */
export function wholeOf(text: string): number | null | undefined {
  const plain = text.replaceAll(/[\s_,']/g, "");
  if (plain === "") return null;
  return /^\d{1,15}$/.test(plain) && Number(plain) > 0 ? Number(plain) : undefined;
}

export const textOf = (value: number | null): string => (value === null ? "" : String(value));

/** Minutes as text, fractions too, to whole seconds; undefined when out of the bounds. */
export function secondsOf(minutes: string, least: number, most: number): number | undefined {
  const text = minutes.trim().replace(",", ".");
  if (!/^\d{1,7}(\.\d{1,4})?$/.test(text)) return undefined;
  const seconds = Math.round(Number(text) * 60);
  return seconds >= least && seconds <= most ? seconds : undefined;
}

export const minutesOf = (seconds: number): string => String(Math.round((seconds / 60) * 10_000) / 10_000);

export interface RuleDraft {
  percent: string;
  by: "user" | "random" | "window";
  event_type: string;
  source: string;
  window: string;
}

export const newRule = (): RuleDraft => ({ percent: "10", by: "user", event_type: "", source: "", window: "60" });

export const ruleDraft = (rule: Sampling): RuleDraft => ({
  percent: String(Math.round(rule.rate * 1e8) / 1e6),
  by: rule.by ?? "user",
  event_type: rule.event_type ?? "",
  source: rule.source ?? "",
  window: minutesOf(rule.window_seconds ?? 3600),
});

export function rateOf(text: string): number | undefined {
  const plain = text.trim().replace(",", ".").replace(/\s*%$/, "");
  if (!/^\d{1,3}(\.\d{1,8})?$/.test(plain)) return undefined;
  const rate = Math.round(Number(plain) * 1e8) / 1e10;
  return rate <= 1 ? rate : undefined;
}

export const ruleOf = (draft: RuleDraft): Sampling => ({
  rate: rateOf(draft.percent) ?? 1,
  by: draft.by,
  event_type: draft.event_type.trim() || null,
  source: draft.source.trim() || null,
  window_seconds: (draft.by === "window" && secondsOf(draft.window, 60, 604_800)) || 3600,
});

/** The rule in words, also while it is being written. */
export function ruleSentence(draft: RuleDraft): string {
  const said = words.sampling;
  const rate = rateOf(draft.percent);
  const what = draft.event_type.trim() ? said.events(draft.event_type.trim()) : said.all;
  const from = draft.source.trim() ? said.from(draft.source.trim()) : "";
  return said.said(rate === undefined ? "…" : percent(rate * 100), what + from);
}

export interface SchemaDraft {
  event_type: string;
  schema: string;
}

export const schemaDraft = (one: Schema): SchemaDraft => ({ event_type: one.event_type, schema: JSON.stringify(one.schema, null, 2) });

export const newSchema = (): SchemaDraft => ({
  event_type: "",
  schema: JSON.stringify({ properties: { price: { type: "number", minimum: 0 } }, required: ["price"] }, null, 2),
});

/** What is wrong with the text of a schema; null: it is a JSON object. */
export function schemaFault(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? null : words.schemas.invalidObject;
  } catch (error) {
    return words.schemas.invalidJson(error instanceof Error ? error.message : "");
  }
}

export const schemaOf = (draft: SchemaDraft): Schema => ({ event_type: draft.event_type.trim(), schema: JSON.parse(draft.schema) as Record<string, unknown> });

/** How full the month is, in percent; null without a quota. */
export const quotaUse = (used: number, quota: number | null): number | null => (quota === null ? null : Math.min(100, (100 * used) / quota));

const ORIGIN = /^https?:\/\/(\*\.)?(?=[^:]{1,253}(:|$))([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:\d{1,5})?$/;

/** The origin of what was typed, as the service takes it; null: it is none. */
export function originOf(text: string): string | null {
  const plain = text.trim().toLowerCase().replace(/\/$/, "");
  return ORIGIN.test(plain) ? plain : null;
}

/** The origins with one more; an empty list allows all and stays so. */
export const withOrigin = (project: Project, origin: string): string[] => [...new Set([...project.allowed_origins, origin])];

/** What tells keys apart: a rotated key and the new one have the same name for a while. */
export const keyName = (key: ProjectKey, all: readonly ProjectKey[]): string =>
  all.some((other) => other.id !== key.id && other.name === key.name) ? `${key.name} …${key.last4}` : key.name;
