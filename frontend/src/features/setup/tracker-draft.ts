/** Between the tracker's options and their form: lists and the share as text. */
import type { Project } from "@/api/types";
import { rateOf } from "@/features/projects/settings/settings-math";
import type { Tracker } from "./snippets";

export const FLAGS = ["auto", "spa", "hash", "local", "dnt", "cookieless"] as const;

export interface TrackerDraft {
  build: "lite" | "web" | "full" | "vitals";
  consent: "granted" | "required" | "cookieless";
  exit: "beacon" | "next";
  auto: boolean;
  spa: boolean;
  hash: boolean;
  local: boolean;
  dnt: boolean;
  cookieless: boolean;
  sample: string;
  domains: string;
  exclude: string;
  tag: string;
}

export const trackerDraft = ({ tracker }: Project): TrackerDraft => ({
  build: tracker.build ?? "full",
  consent: tracker.consent ?? "granted",
  exit: tracker.exit ?? "beacon",
  auto: tracker.auto ?? true,
  spa: tracker.spa ?? true,
  hash: tracker.hash ?? false,
  local: tracker.local ?? true,
  dnt: tracker.dnt ?? true,
  cookieless: tracker.cookieless ?? false,
  sample: String(Math.round((tracker.sample ?? 1) * 1e8) / 1e6),
  domains: (tracker.domains ?? []).join(", "),
  exclude: (tracker.exclude ?? []).join(", "),
  tag: tracker.tag ?? "",
});

const listOf = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((one) => one !== ""))];

/** A share that cannot be read counts as all until it is mended; the form does not save it. */
export const trackerOf = (draft: TrackerDraft): Tracker => ({
  ...draft,
  sample: rateOf(draft.sample) || 1,
  domains: listOf(draft.domains),
  exclude: listOf(draft.exclude),
  tag: draft.tag.trim() || null,
});
