import type { Board, BoardCard, SavedView } from "@/api/saved-types";
import { paths } from "@/app/paths";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { MenuItem } from "@/ui/menu";
import { FormError } from "@/ui/notice";
import { useToast } from "@/ui/toast";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { BookmarkPlus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { newCard, newDraft } from "./card-draft";
import { CARDS_MAX } from "./layout-math";
import { boardQuery, boardsQuery, choiceOf, createBoard, createView, deleteView, putBoard, viewsQuery } from "./queries";
import { viewChoice, type Saveable } from "./saved-choice";
import { words } from "./words";

const NEW = "new";
const said = words.save;

interface Props {
  projectId: string;
  saveable: Saveable;
}

/** "Save view" as an item of a menu; the dialog stands beside the menu, which closes. */
export function SaveViewItem({ onOpen }: { onOpen: () => void }) {
  return (
    <MenuItem onSelect={onOpen}>
      <BookmarkPlus aria-hidden />
      {said.action}
    </MenuItem>
  );
}

/** Gives the question a name and, if wanted, a place on a board. */
export function SaveViewDialog({ projectId, saveable, onClose }: Props & { onClose: () => void }) {
  const boards = useQuery(boardsQuery(projectId)).data ?? [];
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [name, setName] = useState(saveable.title.slice(0, 200));
  const [boardId, setBoardId] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [isTried, setTried] = useState(false);

  const putOnBoard = async (view: SavedView): Promise<Board | null> => {
    const place = (cards: readonly BoardCard[]): BoardCard => newCard({ ...newDraft(true), viewId: view.id }, view.kind, cards);
    const known = boards.find((one) => one.id === boardId);
    if (boardId === NEW) return createBoard(projectId, { name: view.name, range: { preset: "30d" }, cards: [place([])] });
    return known ? putBoard(known, { ...choiceOf(known), cards: [...known.cards, place(known.cards)] }) : null;
  };

  const save = async (): Promise<void> => {
    setTried(true);
    if (name.trim() === "") return;
    setBusy(true);
    try {
      const view = await createView(projectId, viewChoice(saveable, name.trim()));
      const board = await putOnBoard(view).catch(async (failure: unknown) => {
        // Trying again makes the view anew, and of the board the version that it has by then.
        await deleteView(projectId, view.id).catch(() => undefined);
        await client.invalidateQueries({ queryKey: boardsQuery(projectId).queryKey });
        throw failure;
      });
      if (board) {
        client.setQueryData(boardQuery(projectId, board.id).queryKey, board);
        void client.invalidateQueries({ queryKey: boardsQuery(projectId).queryKey });
      }
      const to = board ? paths.board(projectId, board.id) : paths.boards(projectId);
      toast({ text: board ? said.onBoard(board.name) : said.saved, action: { label: said.show, run: () => void navigate(to) } });
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    } finally {
      void client.invalidateQueries({ queryKey: viewsQuery(projectId).queryKey });
    }
  };
  return (
    <Dialog open onClose={onClose} title={said.title} description={said.lead}>
      <form
        className="mt-4 flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <FormError error={error} />
        <Field label={words.name} error={isTried && name.trim() === "" ? words.nameNeeded : undefined}>
          {(wiring) => <Input {...wiring} dir="auto" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={said.board}>
          {(wiring) => (
            <NativeSelect {...wiring} value={boardId} onChange={(event) => setBoardId(event.target.value)}>
              <option value="">{said.noBoard}</option>
              {boards.map((one) => (
                <option key={one.id} value={one.id} disabled={one.cards.length >= CARDS_MAX}>
                  {one.name}
                </option>
              ))}
              <option value={NEW}>{said.newBoard}</option>
            </NativeSelect>
          )}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button type="submit" variant="primary" busy={isBusy}>
            {said.submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
