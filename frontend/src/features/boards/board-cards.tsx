import type { Board, BoardCard, SavedView, ViewRange } from "@/api/saved-types";
import type { Day } from "@/lib/dates";
import { Loaded } from "@/lib/later";
import { useWidth } from "@/lib/use-width";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { t } from "@/lib/strings";
import { UNDO_MS } from "@/lib/use-undoable-delete";
import { useState } from "react";
import { BoardCardView, type CardActions } from "./board-card";
import { cardTitle } from "./card-title";
import { contentOf } from "./card-content";
import { cardId } from "./card-draft";
import { CardColumn } from "./card-column";
import { boardGrid } from "./later-grid";
import { CARDS_MAX, freePlace, inOrder, samePlaces, settle, step, stepInOrder, withPlaces, type Step } from "./layout-math";
import type { useBoardEdit } from "./use-board-edit";
import { words } from "./words";

/** Narrower than this, cards stand in one column. */
const GRID_FROM_PX = 680;

interface Props {
  projectId: string;
  board: Board;
  views: readonly SavedView[];
  range: ViewRange | null;
  today: Day;
  timeZone: string;
  /** Null on a screen that only shows. */
  editing: { edit: ReturnType<typeof useBoardEdit>["edit"]; onEdit: (card: BoardCard) => void } | null;
}

/** The cards: a grid where there is room, a column where there is not. */
export function BoardCards({ projectId, board, views, range, today, timeZone, editing }: Props) {
  const [width, measure] = useWidth();
  const [said, setSaid] = useState("");
  const toast = useToast();
  const isGrid = width !== null && width >= GRID_FROM_PX;
  const { cards } = board;
  const edit = editing?.edit;
  const titleOf = (card: BoardCard): string => {
    const content = contentOf(card, views, null);
    return content ? cardTitle(content) : (card.title ?? "");
  };
  const move = (card: BoardCard, kind: Step): void => {
    const next = isGrid ? step(cards, card.id, kind) : stepInOrder(cards, card.id, kind === "up" ? "up" : "down");
    const moved = next.find((one) => one.id === card.id) ?? card;
    const place = inOrder(next).findIndex((one) => one.id === card.id) + 1;
    setSaid(isGrid ? words.card.place(titleOf(card), moved.x + 1, moved.y + 1, moved.w, moved.h) : words.card.rank(titleOf(card), place, next.length));
    if (!samePlaces(cards, next)) edit?.((now) => ({ ...now, cards: next }));
  };
  const duplicate = (card: BoardCard): void => {
    if (cards.length >= CARDS_MAX) return toast({ tone: "danger", text: words.card.full });
    edit?.((now) => ({ ...now, cards: [...(now.cards ?? []), { ...card, id: cardId(), ...freePlace(cards, card.w, card.h) }] }));
  };
  const remove = (card: BoardCard): void => {
    edit?.((now) => ({ ...now, cards: settle(((now.cards ?? []) as BoardCard[]).filter((one) => one.id !== card.id)) }));
    const undo = (): void => edit?.((now) => ({ ...now, cards: settle([...((now.cards ?? []) as BoardCard[]).filter((one) => one.id !== card.id), card], card.id) }));
    toast({ text: words.card.removed, shown_ms: UNDO_MS, action: { label: t.actions.undo, run: undo } });
  };
  const draw = (card: BoardCard) => {
    const actions: CardActions | null = editing && {
      isColumn: !isGrid,
      onStep: (kind) => move(card, kind),
      onEdit: () => editing.onEdit(card),
      onDuplicate: () => duplicate(card),
      onRemove: () => remove(card),
    };
    return <BoardCardView projectId={projectId} card={card} views={views} boardRange={range} today={today} timeZone={timeZone} actions={actions} />;
  };
  const byId = new Map(cards.map((card) => [card.id, card]));
  return (
    <div ref={measure} className="min-w-0">
      <p className="sr-only" role="status">
        {said}
      </p>
      {width === null ? null : isGrid ? (
        <Loaded
          of={boardGrid}
          instead={<Skeleton className="h-100 rounded-xl" />}
          with={{
            width,
            cards,
            isEditable: editing !== null,
            onPlaces: (places) => {
              const next = withPlaces(cards, places);
              if (!samePlaces(cards, next)) edit?.((now) => ({ ...now, cards: next }));
            },
            children: (id) => {
              const card = byId.get(id);
              return card ? draw(card) : null;
            },
          }}
        />
      ) : (
        <CardColumn cards={inOrder(cards)} draw={draw} />
      )}
    </div>
  );
}
