/** What the form of a link says, as the service takes it. */
import type { ShareChoice, ShareKind, ViewRange } from "@/api/saved-types";

export interface ShareDraft {
  label: string;
  /** Days from now; "" never. */
  ends: string;
  password: string;
  /** The last so many days may be chosen; "" none. */
  days: string;
}

export const PASSWORD_MIN = 8;
export const emptyDraft: ShareDraft = { label: "", ends: "30", password: "", days: "" };
const DAY_MS = 86_400_000;

export const isShort = (password: string): boolean => password !== "" && password.length < PASSWORD_MIN;

export function shareChoice(draft: ShareDraft, target: { kind: ShareKind; id: string; question?: Record<string, unknown>; range?: ViewRange }, now: Date): ShareChoice {
  return {
    kind: target.kind,
    target_id: target.id,
    label: draft.label.trim() || null,
    // A saved view and a board have days of their own.
    range: target.kind === "funnel" ? (target.range ?? null) : null,
    question: target.kind === "funnel" ? (target.question ?? null) : null,
    choosable_days: draft.days === "" ? null : Number(draft.days),
    password: draft.password === "" ? null : draft.password,
    expires_at: draft.ends === "" ? null : new Date(now.getTime() + Number(draft.ends) * DAY_MS).toISOString(),
  };
}
