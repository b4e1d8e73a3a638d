import type { Board } from "@/api/saved-types";
import { asProblem, explain } from "@/api/problem";
import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { useMay } from "@/features/account/use-role";
import { useProjectZone } from "@/features/projects/queries";
import { todayIn } from "@/lib/dates";
import { ago } from "@/lib/format";
import { useUndoableDelete } from "@/lib/use-undoable-delete";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Menu, MenuItem } from "@/ui/menu";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, Ellipsis, Plus, Trash2 } from "lucide-react";
import { useEffect } from "react";
import { Link, useLocation, useNavigate, useSearchParams } from "react-router";
import { MiniBoard } from "./mini-board";
import { NameDialog } from "./name-dialog";
import { boardsQuery, choiceOf, deleteBoard, useCreateBoard } from "./queries";
import { ViewList } from "./view-list";
import { words } from "./words";

/** `?new` opens the form, so that other pages can lead to it. */
export default function BoardListPage() {
  const projectId = useProjectId();
  const boards = useQuery(boardsQuery(projectId));
  const timeZone = useProjectZone(projectId);
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const create = useCreateBoard(projectId);
  const mayMake = useMay("editor");
  const { hidden, drop } = useUndoableDelete({
    said: words.removed,
    remove: (id) => deleteBoard(projectId, id),
    onRemoved: () => void client.invalidateQueries({ queryKey: boardsQuery(projectId).queryKey }),
  });
  // A board is deleted on its own page, and taken back here.
  const dropped = (useLocation().state as { drop?: string } | null)?.drop;
  useEffect(() => {
    if (!dropped) return;
    drop(dropped);
    void navigate(".", { replace: true, state: null });
  }, [dropped, drop, navigate]);
  const shown = (boards.data ?? []).filter((board) => !hidden.has(board.id));
  const make = async (name: string): Promise<void> => {
    const board = await create.mutateAsync({ name, range: { preset: "30d" }, cards: [] });
    await navigate(paths.board(projectId, board.id));
  };
  const ask = (): void => setSearch({ new: "board" }, { preventScrollReset: true });
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        {mayMake && (
          <Button variant="primary" onClick={ask}>
            <Plus aria-hidden className="size-4" />
            {words.create}
          </Button>
        )}
      </PageHead>
      {boards.isError && !boards.data ? (
        <Failure error={boards.error} onRetry={() => void boards.refetch()} />
      ) : !boards.data ? (
        <Skeleton className="h-48 rounded-xl" />
      ) : shown.length === 0 ? (
        <Card>
          <EmptyState className="py-16" title={words.empty.title} description={words.empty.text}>
            {mayMake && (
              <Button variant="primary" onClick={ask}>
                {words.create}
              </Button>
            )}
          </EmptyState>
        </Card>
      ) : (
        <ul className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          {[...shown].sort((one, two) => one.name.localeCompare(two.name)).map((board) => (
            <BoardTile key={board.id} board={board} onDelete={() => drop(board.id)} />
          ))}
        </ul>
      )}
      <ViewList projectId={projectId} today={todayIn(timeZone, new Date())} />
      {search.has("new") && mayMake && <NameDialog title={words.create} submit={words.made} onClose={() => setSearch({}, { preventScrollReset: true })} onSave={make} />}
    </>
  );
}

function BoardTile({ board, onDelete }: { board: Board; onDelete: () => void }) {
  const create = useCreateBoard(board.project_id);
  const toast = useToast();
  const mayMake = useMay("editor");
  const duplicate = (): void =>
    create.mutate(
      { ...choiceOf(board), name: words.copyOf(board.name).slice(0, 200) },
      {
        onError: (error) => {
          const { title, advice } = explain(asProblem(error));
          toast({ tone: "danger", text: `${title} ${advice}` });
        },
      },
    );
  return (
    <li className="relative flex flex-col rounded-xl border border-line bg-surface p-4 shadow-card transition-colors duration-150 hover:border-line-strong">
      <MiniBoard cards={board.cards} />
      <div className="mt-3 flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="font-semibold tracking-[-0.006em]">
            <Link
              to={paths.board(board.project_id, board.id)}
              dir="auto"
              className="stranger line-clamp-1 outline-none after:absolute after:inset-0 after:rounded-xl focus-visible:after:outline-2 focus-visible:after:outline-ring"
            >
              {board.name}
            </Link>
          </h2>
          <p className="text-sm text-ink-faint">{`${words.cards(board.cards.length)}, ${words.changed(ago(board.updated_at, new Date()))}`}</p>
        </div>
        {mayMake && (
          <Menu
            trigger={
              <Button variant="ghost" size="icon-sm" aria-label={words.menu(board.name)} className="relative z-1">
                <Ellipsis aria-hidden className="size-4" />
              </Button>
            }
          >
            <MenuItem onSelect={duplicate}>
              <Copy aria-hidden />
              {words.duplicate}
            </MenuItem>
            <MenuItem onSelect={onDelete}>
              <Trash2 aria-hidden />
              {words.remove}
            </MenuItem>
          </Menu>
        )}
      </div>
    </li>
  );
}
