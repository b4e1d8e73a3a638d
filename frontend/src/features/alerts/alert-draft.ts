/** Between a stored rule and what the form edits: all fields of all kinds as text, checked when it is saved. */
import type { Alert, AlertChoice, AlertRule } from "@/api/types";
import { paths } from "@/app/paths";
import { count, percent, span } from "@/lib/format";
import { z } from "zod";
import { words } from "./words";

export type Kind = AlertRule["kind"];
export const KINDS: readonly Kind[] = ["threshold", "silence", "conversion", "anomaly"];
const VALUE_MAX = 1e12;

export const draftSchema = z
  .object({
    kind: z.enum(["threshold", "silence", "conversion", "anomaly"]),
    name: z.string().trim().min(1, words.form.invalid.name).max(200),
    event: z.string(),
    what: z.enum(["event", "funnel"]),
    funnel: z.string(),
    measure: z.enum(["events", "people"]),
    comparison: z.enum(["above", "below"]),
    value: z.string(),
    window: z.string(),
    below: z.string(),
    peopleMin: z.string(),
    sensitivity: z.enum(["low", "medium", "high"]),
    direction: z.enum(["any", "up", "down"]),
    webhook: z.string().trim().regex(/^(https?:\/\/[^\s/].*)?$/, words.form.invalid.webhook),
    interval: z.string(),
  })
  .superRefine((draft, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    const whole = (text: string, least: number): boolean => /^\d+$/.test(text.trim()) && Number(text) >= least && Number(text) <= VALUE_MAX;
    const needsFunnel = draft.kind === "conversion" || (draft.kind === "silence" && draft.what === "funnel");
    if (needsFunnel && draft.funnel === "") fault("funnel", words.form.invalid.funnel);
    if (draft.kind === "silence" && draft.what === "event" && draft.event.trim() === "") fault("event", words.form.invalid.event);
    if (draft.kind === "threshold" && !whole(draft.value, 0)) fault("value", words.form.invalid.value);
    if (draft.kind === "conversion") {
      const below = Number(draft.below);
      if (draft.below.trim() === "" || !(below > 0 && below <= 100)) fault("below", words.form.invalid.below);
      if (!whole(draft.peopleMin, 1)) fault("peopleMin", words.form.invalid.people);
    }
  });

export type Draft = z.infer<typeof draftSchema>;

const DAY_S = "86400";
const WINDOWS: Record<Kind, string> = { threshold: "3600", silence: DAY_S, conversion: "604800", anomaly: DAY_S };

export function newDraft(kind: Kind): Draft {
  return {
    kind, name: "", event: "", what: "event", funnel: "", measure: "events", comparison: "below", value: "", window: WINDOWS[kind],
    below: "", peopleMin: "20", sensitivity: "medium", direction: "any", webhook: "", interval: "300",
  }; // prettier-ignore
}

export function draftOf(alert: Alert): Draft {
  const { rule } = alert;
  const draft = { ...newDraft(rule.kind), name: alert.name, webhook: alert.webhook_url ?? "", interval: String(alert.interval_seconds) };
  if (rule.kind === "anomaly") return { ...draft, event: rule.event ?? "", measure: rule.measure ?? "events", sensitivity: rule.sensitivity ?? "medium", direction: rule.direction ?? "any" };
  const window = String(rule.window_seconds ?? WINDOWS[rule.kind]);
  if (rule.kind === "threshold") return { ...draft, window, event: rule.event === "*" ? "" : rule.event, measure: rule.measure ?? "events", comparison: rule.comparison, value: String(rule.value) };
  if (rule.kind === "silence") return { ...draft, window, what: rule.funnel_id ? "funnel" : "event", event: rule.event ?? "", funnel: rule.funnel_id ?? "" };
  return { ...draft, window, funnel: rule.funnel_id, below: String(rule.below), peopleMin: String(rule.people_min ?? 20) };
}

export function choiceOf(draft: Draft, isPaused: boolean): AlertChoice {
  const event = draft.event.trim();
  const window_seconds = Number(draft.window);
  const rules: Record<Kind, () => AlertRule> = {
    threshold: () => ({ kind: "threshold", event: event || "*", measure: draft.measure, comparison: draft.comparison, value: Number(draft.value), window_seconds }),
    silence: () => ({ kind: "silence", ...(draft.what === "funnel" ? { funnel_id: draft.funnel } : { event }), window_seconds }),
    conversion: () => ({ kind: "conversion", funnel_id: draft.funnel, below: Number(draft.below), people_min: Number(draft.peopleMin), window_seconds }),
    anomaly: () => ({ kind: "anomaly", ...(event && { event }), measure: draft.measure, sensitivity: draft.sensitivity, direction: draft.direction }),
  };
  return { name: draft.name.trim(), rule: rules[draft.kind](), webhook_url: draft.webhook.trim() || null, interval_seconds: Number(draft.interval), is_paused: isPaused };
}

/** The rule as one line. */
/** Where one sees what a rule watches, in the words of its link. */
export function watchedBy({ project_id, rule }: Pick<Alert, "project_id" | "rule">): { to: string; label: string } {
  const said = words.see;
  const events = (name: string | null | undefined): string => `${paths.events(project_id)}${name && name !== "*" ? `?event=${encodeURIComponent(name)}` : ""}`;
  if (rule.kind === "anomaly") return { to: paths.anomalies(project_id), label: said.anomaly };
  if (rule.kind === "conversion") return { to: paths.funnel(project_id, rule.funnel_id), label: said.funnel };
  if (rule.kind === "silence" && rule.funnel_id) return { to: paths.funnel(project_id, rule.funnel_id), label: said.funnel };
  return { to: events(rule.event), label: said.events };
}

export function sentenceOf(rule: AlertRule, funnelName: (id: string) => string | undefined): string {
  const said = words.sentence;
  const funnel = (id: string): string => funnelName(id) ?? said.unknownFunnel;
  const event = (name: string | null | undefined): string => (name && name !== "*" ? name : said.anyEvent);
  if (rule.kind === "threshold") {
    const what = said.counted[rule.measure ?? "events"](event(rule.event));
    return said.threshold(said.than[rule.comparison], count(rule.value), what, span(rule.window_seconds ?? 3_600));
  }
  if (rule.kind === "silence") {
    const window = span(rule.window_seconds ?? 86_400);
    return rule.funnel_id ? said.silentFunnel(funnel(rule.funnel_id), window) : said.silence(event(rule.event), window);
  }
  if (rule.kind === "conversion") return said.conversion(funnel(rule.funnel_id), percent(rule.below), span(rule.window_seconds ?? 604_800));
  return said.anomaly(rule.event ?? said.frequent, said.directions[rule.direction ?? "any"]);
}
