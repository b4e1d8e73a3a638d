/** Changes of a board: shown at once, sent one after the other, each with the version that the one before left. */
import { asProblem, explain } from "@/api/problem";
import type { Board, BoardChoice } from "@/api/saved-types";
import { useToast } from "@/ui/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { boardQuery, boardsQuery, choiceOf, putBoard } from "./queries";
import { words } from "./words";

const CHANGED_ELSEWHERE = 412;

export function useBoardEdit(projectId: string, boardId: string) {
  const client = useQueryClient();
  const toast = useToast();
  const { queryKey } = boardQuery(projectId, boardId);
  const save = useMutation({
    // One at a time: two at once would refuse each other.
    scope: { id: `board ${boardId}` },
    mutationFn: (next: BoardChoice) => {
      const version = client.getQueryData(queryKey)?.version ?? 1;
      return putBoard({ id: boardId, project_id: projectId, version }, next);
    },
    onSuccess: (saved) => {
      // What was changed since stays; only the version is news.
      client.setQueryData<Board>(queryKey, (old) => (old ? { ...old, version: saved.version, updated_at: saved.updated_at } : saved));
      void client.invalidateQueries({ queryKey: boardsQuery(projectId).queryKey });
    },
    onError: (error) => {
      const problem = asProblem(error);
      const { title, advice } = explain(problem);
      toast({ tone: "danger", text: problem.status === CHANGED_ELSEWHERE ? words.conflict : `${title} ${advice}` });
      void client.invalidateQueries({ queryKey });
    },
  });
  /** Shows the change and sends it; the promise is kept when the service has it. */
  const change = async (make: (board: BoardChoice) => BoardChoice): Promise<void> => {
    await client.cancelQueries({ queryKey });
    const board = client.getQueryData(queryKey);
    if (!board) return;
    const next = make(choiceOf(board));
    client.setQueryData<Board>(queryKey, { ...board, ...next, cards: next.cards as Board["cards"] });
    await save.mutateAsync(next);
  };
  /** For those who do not wait: faults are told in a toast. */
  const edit = (make: (board: BoardChoice) => BoardChoice): void => void change(make).catch(() => undefined);
  return { change, edit, isSaving: save.isPending };
}
