import type { Board, BoardCard } from "@/api/saved-types";
import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { useMay } from "@/features/account/use-role";
import { projectQuery } from "@/features/projects/queries";
import { NotesSheet } from "@/features/notes/notes-sheet";
import { words as noteWords } from "@/features/notes/words";
import { RangePicker } from "@/features/report/range-picker";
import { ShareSheet } from "@/features/sharing/share-button";
import { words as shareWords } from "@/features/sharing/words";
import { todayIn } from "@/lib/dates";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Menu, MenuItem, MenuLine } from "@/ui/menu";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { CalendarCheck, Copy, Ellipsis, Maximize, Minimize, Pencil, Plus, Share2, StickyNote, Trash2 } from "lucide-react";
import { useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { BoardCards } from "./board-cards";
import { CardSheet } from "./card-sheet";
import { changedCard, newCard, type CardDraft } from "./card-draft";
import { CARDS_MAX } from "./layout-math";
import { NameDialog } from "./name-dialog";
import { boardQuery, choiceOf, useCreateBoard, viewsQuery } from "./queries";
import { choiceOfRange, rangeOfChoice, saidRange, sayRange } from "./ranges";
import { useBoardEdit } from "./use-board-edit";
import { useFullScreen } from "./use-full-screen";
import { words } from "./words";

export default function BoardPage() {
  const projectId = useProjectId();
  const { boardId = "" } = useParams();
  const board = useQuery(boardQuery(projectId, boardId));
  const project = useQuery(projectQuery(projectId));
  if (board.data && project.data) return <Shown key={boardId} board={board.data} timeZone={project.data.timezone} />;
  const failed = board.isError ? board : project.isError ? project : null;
  if (failed) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  return (
    <div aria-busy="true" aria-label={t.states.loading}>
      <Skeleton className="mb-6 h-9 w-64" />
      <Skeleton className="h-100 rounded-xl" />
    </div>
  );
}

type Open = { what: "add" | "share" | "rename" | "notes" } | { what: "edit"; card: BoardCard } | null;

function Shown({ board, timeZone }: { board: Board; timeZone: string }) {
  const projectId = board.project_id;
  const views = useQuery(viewsQuery(projectId)).data;
  const [search, setSearch] = useSearchParams();
  const [open, setOpen] = useState<Open>(null);
  const { change, edit } = useBoardEdit(projectId, board.id);
  const screen = useFullScreen();
  const mayChange = useMay("editor");
  const today = todayIn(timeZone, new Date());
  const said = saidRange(search);
  const range = said ? rangeOfChoice(said) : (board.range ?? null);
  const saveCard = (card: BoardCard | null) => (draft: CardDraft) =>
    change((now) => {
      const cards = (now.cards ?? []) as BoardCard[];
      const view = views?.find((one) => one.id === (card?.view_id ?? draft.viewId));
      if (!card) return { ...now, cards: [...cards, newCard(draft, view?.kind, cards)] };
      const hasChart = (card.kind ?? view?.kind) === "trends";
      return { ...now, cards: cards.map((one) => (one.id === card.id ? changedCard(one, draft, hasChart) : one)) };
    });
  const cards = (
    <BoardCards
      projectId={projectId}
      board={board}
      views={views ?? []}
      range={range}
      today={today}
      timeZone={timeZone}
      editing={screen.isOn || !mayChange ? null : { edit, onEdit: (card) => setOpen({ what: "edit", card }) }}
    />
  );
  if (screen.isOn) return <TvScreen name={board.name} onLeave={screen.leave}>{cards}</TvScreen>;
  const isFull = board.cards.length >= CARDS_MAX;
  return (
    <>
      <PageHead title={board.name} parent={{ to: paths.boards(projectId), label: words.title }}>
        <RangePicker choice={choiceOfRange(range, today)} today={today} timeZone={timeZone} onChange={(next) => setSearch(sayRange(search, next), { preventScrollReset: true })} />
        {mayChange && (
          <>
            <Button onClick={() => setOpen({ what: "share" })}>
              <Share2 aria-hidden className="size-4 text-ink-faint" />
              {shareWords.action}
            </Button>
            <Button variant="primary" disabled={isFull} title={isFull ? words.card.full : undefined} onClick={() => setOpen({ what: "add" })}>
              <Plus aria-hidden className="size-4" />
              {words.add}
            </Button>
          </>
        )}
        <BoardMenu board={board} mayChange={mayChange} onRename={() => setOpen({ what: "rename" })} onNotes={() => setOpen({ what: "notes" })} onScreen={screen.enter} {...(said && { onKeep: () => edit((now) => ({ ...now, range: rangeOfChoice(said) })) })} />
      </PageHead>
      {board.cards.length === 0 ? (
        <Card>
          <EmptyState className="py-16" title={words.emptyBoard.title} description={words.emptyBoard.text}>
            {mayChange && (
              <Button variant="primary" onClick={() => setOpen({ what: "add" })}>
                {words.add}
              </Button>
            )}
          </EmptyState>
        </Card>
      ) : views === undefined ? (
        <Skeleton className="h-100 rounded-xl" />
      ) : (
        cards
      )}
      {(open?.what === "add" || open?.what === "edit") && (
        <CardSheet
          projectId={projectId}
          views={views ?? []}
          card={open.what === "edit" ? open.card : null}
          onClose={() => setOpen(null)}
          onSave={saveCard(open.what === "edit" ? open.card : null)}
        />
      )}
      {open?.what === "rename" && (
        <NameDialog title={words.rename} submit={t.actions.saveChanges} name={board.name} onClose={() => setOpen(null)} onSave={(name) => change((now) => ({ ...now, name }))} />
      )}
      {open?.what === "notes" && <NotesSheet projectId={projectId} onClose={() => setOpen(null)} />}
      {open?.what === "share" && <ShareSheet projectId={projectId} kind="board" targetId={board.id} name={board.name} onClose={() => setOpen(null)} />}
    </>
  );
}

interface MenuProps {
  board: Board;
  mayChange: boolean;
  onRename: () => void;
  onNotes: () => void;
  onScreen: () => void;
  onKeep?: () => void;
}

function BoardMenu({ board, mayChange, onRename, onNotes, onScreen, onKeep }: MenuProps) {
  const navigate = useNavigate();
  const toast = useToast();
  const create = useCreateBoard(board.project_id);
  const duplicate = async (): Promise<void> => {
    const copy = await create.mutateAsync({ ...choiceOf(board), name: words.copyOf(board.name).slice(0, 200) });
    await navigate(paths.board(board.project_id, copy.id));
  };
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon" aria-label={words.boardMenu}>
          <Ellipsis aria-hidden className="size-4" />
        </Button>
      }
    >
      {mayChange && (
        <>
          <MenuItem onSelect={onRename}>
            <Pencil aria-hidden />
            {words.rename}
          </MenuItem>
          <MenuItem onSelect={() => void duplicate().catch(() => toast({ tone: "danger", text: t.problems.failed }))}>
            <Copy aria-hidden />
            {words.duplicate}
          </MenuItem>
        </>
      )}
      {onKeep && mayChange && (
        <MenuItem
          onSelect={() => {
            onKeep();
            toast({ text: words.rangeKept });
          }}
        >
          <CalendarCheck aria-hidden />
          {words.keepRange}
        </MenuItem>
      )}
      <MenuItem onSelect={onNotes}>
        <StickyNote aria-hidden />
        {noteWords.title}
      </MenuItem>
      <MenuItem onSelect={onScreen}>
        <Maximize aria-hidden />
        {words.tv}
      </MenuItem>
      {mayChange && (
        <>
          <MenuLine />
          <MenuItem onSelect={() => void navigate(paths.boards(board.project_id), { state: { drop: board.id } })}>
            <Trash2 aria-hidden />
            {words.remove}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

function TvScreen({ name, onLeave, children }: { name: string; onLeave: () => void; children: React.ReactNode }) {
  return (
    <div className="fixed inset-0 z-30 overflow-y-auto bg-canvas p-6">
      <title>{`${name} · ${t.product}`}</title>
      <header className="mb-4 flex items-center justify-between gap-4">
        <h1 dir="auto" className="stranger line-clamp-1 text-2xl font-semibold tracking-[-0.02em]">
          {name}
        </h1>
        <div className="flex shrink-0 items-center gap-3">
          <span className="hidden text-sm text-ink-faint sm:inline">{words.refreshed}</span>
          <Button onClick={onLeave}>
            <Minimize aria-hidden className="size-4" />
            {words.leaveTv}
          </Button>
        </div>
      </header>
      {children}
    </div>
  );
}
