/** Between a card and what its form edits. */
import type { BoardCard, ViewKind, ViewRange } from "@/api/saved-types";
import { PRESETS, type Preset } from "@/features/report/range-state";
import { freePlace, type Placed } from "./layout-math";

export interface CardDraft {
  from: "saved" | "own";
  viewId: string;
  kind: ViewKind;
  funnelId: string;
  event: string;
  measure: "events" | "people" | "sessions";
  chart: string;
  text: string;
  title: string;
  /** A preset, "" for the board's days, "custom" for fixed ones that the card has. */
  range: Preset | "" | "custom";
}

export const KINDS: readonly ViewKind[] = ["funnel", "trends", "retention", "paths", "sessions", "overview", "events", "note"];
export const CHARTS = ["line", "bar", "number"] as const;
const SIZES: Record<ViewKind, [number, number]> = {
  funnel: [6, 5], trends: [6, 5], retention: [6, 5], paths: [6, 5], sessions: [6, 5], overview: [12, 6], events: [6, 5], note: [4, 3],
}; // prettier-ignore

export const newDraft = (hasViews: boolean): CardDraft => ({
  from: hasViews ? "saved" : "own", viewId: "", kind: "trends", funnelId: "", event: "", measure: "people", chart: "line", text: "", title: "", range: "",
}); // prettier-ignore

/** What a form can change of a card: the question of a note, and how the card is named, dated and drawn. */
export function draftOf(card: BoardCard): CardDraft {
  const preset = PRESETS.find((one) => one === card.range?.preset);
  return {
    ...newDraft(false),
    from: card.view_id ? "saved" : "own",
    viewId: card.view_id ?? "",
    kind: card.kind ?? "trends",
    text: typeof card.question?.text === "string" ? card.question.text : "",
    title: card.title ?? "",
    chart: typeof card.view?.chart === "string" ? card.view.chart : "line",
    range: card.range ? (preset ?? "custom") : "",
  };
}

export type DraftFault = "funnel" | "view" | "text";

export function faultOf(draft: CardDraft, isNew: boolean): DraftFault | null {
  if (isNew && draft.from === "saved") return draft.viewId === "" ? "view" : null;
  if (draft.from === "own" && draft.kind === "note") return draft.text.trim() === "" ? "text" : null;
  return isNew && draft.kind === "funnel" && draft.funnelId === "" ? "funnel" : null;
}

function questionOf(draft: CardDraft): Record<string, unknown> {
  const event = draft.event.trim();
  // A path is a page, as on the reports.
  const matcher = event.startsWith("/") ? { page: event } : { event: event || "*" };
  switch (draft.kind) {
    case "funnel":
      return { funnel_id: draft.funnelId };
    case "trends":
      return { series: [{ ...matcher, measure: draft.measure }], interval: "day" };
    case "retention":
      return { start: matcher, interval: "week", periods: 6 };
    case "paths":
      return event ? { start: matcher, depth: 4, top: 5 } : { depth: 4, top: 5 };
    case "events":
      return event ? { event_type: [event] } : {};
    case "note":
      return { text: draft.text.trim() };
    default:
      return { interval: "day" };
  }
}

const rangeOf = (draft: CardDraft, before: ViewRange | null): ViewRange | null =>
  draft.range === "" ? null : draft.range === "custom" ? before : { preset: draft.range };

/** Ids are made here, also where a page is no secure context. */
export function cardId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return `c${[...bytes].map((byte) => (byte % 36).toString(36)).join("")}`;
}

export function newCard(draft: CardDraft, viewKind: ViewKind | undefined, cards: readonly Placed[]): BoardCard {
  const kind = draft.from === "saved" ? (viewKind ?? "trends") : draft.kind;
  const [w, h] = SIZES[kind];
  const shown = { title: draft.title.trim() || null, range: rangeOf(draft, null), view: draft.from === "own" && kind === "trends" ? { chart: draft.chart } : {} };
  const asked = draft.from === "saved" ? { view_id: draft.viewId, kind: null, question: null } : { view_id: null, kind, question: questionOf(draft) };
  return { id: cardId(), ...freePlace(cards, w, h), w, h, ...asked, ...shown };
}

export function changedCard(card: BoardCard, draft: CardDraft, hasChart: boolean): BoardCard {
  return {
    ...card,
    title: draft.title.trim() || null,
    range: rangeOf(draft, card.range ?? null),
    ...(card.kind === "note" && { question: { text: draft.text.trim() } }),
    ...(hasChart && { view: { ...card.view, chart: draft.chart } }),
  };
}
