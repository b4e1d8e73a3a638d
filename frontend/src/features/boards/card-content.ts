/** What a card shows: its own question, or that of a saved view as it is now. */
import type { BoardCard, SavedView, ViewKind, ViewRange } from "@/api/saved-types";
import { hasDates } from "./ranges";

export interface CardContent {
  kind: ViewKind;
  /** Null: the name of the kind, or of the funnel. */
  title: string | null;
  question: Record<string, unknown>;
  /** Null: the dates of the question, else all data. */
  range: ViewRange | null;
  view: Record<string, unknown>;
  /** The card follows the board's range. */
  followsBoard: boolean;
}

/** Null when the card's saved view is gone. Dates in this order: the card's, its view's, the question's, the board's. */
export function contentOf(card: BoardCard, views: readonly SavedView[], boardRange: ViewRange | null): CardContent | null {
  const saved = card.view_id ? views.find((one) => one.id === card.view_id) : undefined;
  if (card.view_id && !saved) return null;
  const kind = saved?.kind ?? card.kind;
  const question = saved?.question ?? card.question;
  if (!kind || !question) return null;
  const own = card.range ?? saved?.range ?? null;
  const followsBoard = own === null && !hasDates(kind, question);
  return {
    kind,
    question,
    title: card.title ?? saved?.title ?? saved?.name ?? null,
    range: followsBoard ? boardRange : own,
    view: { ...saved?.view, ...card.view },
    followsBoard,
  };
}
