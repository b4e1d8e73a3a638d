/** First drafts of a funnel: from a template, from the events a project has sent, or blank. */
import type { EventName, FunnelTemplate } from "@/api/types";
import { draftFrom, emptyDraft, emptyStage, type Draft } from "./definition-math";

const SUGGESTED_MAX = 4;
export const SEEN = "seen";

function draftOfTemplate(template: FunnelTemplate): Draft {
  const { name, description, stages, window_seconds } = template;
  return draftFrom({ name, description, stages, window_seconds });
}

/** The most frequent events first: people do early steps more often than late ones. */
export function draftOfSeen(events: readonly EventName[]): Draft {
  const names = [...events].sort((one, two) => two.count - one.count).slice(0, SUGGESTED_MAX);
  const stages = names.map((event) => ({ ...emptyStage(), events: [{ name: event.name }] }));
  while (stages.length < 2) stages.push(emptyStage());
  return { ...emptyDraft(), stages };
}

export function starterDraft(from: string | null, templates: readonly FunnelTemplate[], events: readonly EventName[]): Draft {
  if (from === SEEN) return draftOfSeen(events);
  const template = templates.find((one) => one.id === from);
  return template ? draftOfTemplate(template) : emptyDraft();
}
