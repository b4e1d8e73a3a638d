import { useMay } from "@/features/account/use-role";
import { boardsQuery } from "@/features/boards/queries";
import { funnelsQuery } from "@/features/funnels/queries";
import { projectsQuery } from "@/features/projects/queries";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { withCarried, type CarriedDays } from "./carried-days";
import type { Place } from "./navigation";
import { entriesFor, type Entry } from "./palette-entries";
import { useFound } from "./palette-found";
import { paths } from "./paths";
import { useTheme } from "./theme";

interface Props {
  open: boolean;
  onClose: () => void;
  projectId: string | undefined;
  places: readonly Place[];
  carried: CarriedDays | null;
}

const keyOf = (entry: Entry): string => `${entry.kind} ${entry.to ?? entry.name}`;

/** Type a few letters, press Enter: pages, funnels, projects, events, people and actions from anywhere. */
export default function Palette({ open, ...props }: Props) {
  return open ? <OpenPalette {...props} /> : null;
}

function OpenPalette({ onClose, projectId, places, carried }: Omit<Props, "open">) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();
  const navigate = useNavigate();
  const [, chooseTheme] = useTheme();
  const mayMakeFunnels = useMay("editor");
  const mayMakeProjects = useMay("admin");
  const projects = useQuery(projectsQuery).data ?? [];
  const funnels = useQuery({ ...funnelsQuery(projectId ?? ""), enabled: projectId !== undefined }).data ?? [];
  const boards = useQuery({ ...boardsQuery(projectId ?? ""), enabled: projectId !== undefined }).data ?? [];
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  const all: Entry[] = [
    ...places.map((place): Entry => ({ kind: "place", name: place.label, to: place.to })),
    ...funnels.map((funnel): Entry => ({ kind: "funnel", name: funnel.name, to: withCarried(paths.funnel(funnel.project_id, funnel.id), "comparison", carried) })),
    ...boards.map((board): Entry => ({ kind: "board", name: board.name, to: paths.board(board.project_id, board.id) })),
    ...projects.map((project): Entry => ({ kind: "project", name: project.name, to: paths.overview(project.id) })),
    ...(projectId && mayMakeFunnels ? [{ kind: "action", name: t.palette.newFunnel, to: paths.newFunnel(projectId) } as const] : []),
    ...(mayMakeProjects ? [{ kind: "action", name: t.palette.newProject, to: paths.newProject } as const] : []),
    { kind: "action", name: t.palette.light, run: () => chooseTheme("light") },
    { kind: "action", name: t.palette.dark, run: () => chooseTheme("dark") },
  ];
  const person: Entry[] =
    projectId && words.trim() !== "" ? [{ kind: "action", name: t.palette.person(words.trim()), to: `${paths.people(projectId)}?q=${encodeURIComponent(words.trim())}` }] : [];
  const found = useFound(projectId, words, carried);
  const entries = [...entriesFor(all, words), ...found.events, ...found.people, ...person];
  // What was chosen stays chosen when more is found above it.
  const active = Math.max(0, entries.findIndex((entry) => keyOf(entry) === chosen));
  const setActive = (index: number): void => setChosen(entries[index] ? keyOf(entries[index]) : null);
  const take = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    if (entry.to !== undefined) void navigate(entry.to);
    else entry.run?.();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      take(entries[active]);
    }
    if (step === 0 || entries.length === 0) return;
    event.preventDefault();
    const next = (active + step + entries.length) % entries.length;
    setActive(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  return (
    <dialog
      ref={dialog}
      aria-label={t.palette.title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
      className="mx-auto mt-[12dvh] w-[min(38rem,calc(100vw-2rem))] animate-rise overflow-hidden rounded-xl border border-line bg-surface p-0 shadow-pop"
    >
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search aria-hidden className="size-4 shrink-0 text-ink-faint" />
        <input
          role="combobox"
          aria-label={t.palette.title}
          aria-expanded
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={entries[active] ? `${listId}-${active}` : undefined}
          dir="auto"
          autoComplete="off"
          spellCheck={false}
          placeholder={t.palette.placeholder}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setChosen(null);
          }}
          onKeyDown={onKeyDown}
          className="h-12 min-w-0 flex-1 bg-transparent text-lg outline-none"
        />
        {found.isSearching && <Spinner className="size-4 text-ink-faint" />}
        <p role="status" className="sr-only">
          {words.trim() !== "" && (found.isSearching ? t.palette.searching : t.palette.found(entries.length))}
        </p>
      </div>
      <ul ref={list} id={listId} role="listbox" aria-label={t.palette.title} className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1.5">
        {entries.map((entry, index) => (
          <li
            key={keyOf(entry)}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseMove={() => setActive(index)}
            onClick={() => take(entry)}
            className={cn("flex cursor-pointer items-center justify-between gap-4 rounded-lg px-2.5 py-2 text-sm", index === active && "bg-hover")}
          >
            <span dir="auto" className="stranger line-clamp-1 font-medium">
              {entry.name}
            </span>
            <span className="shrink-0 text-xs text-ink-faint">{t.palette.kinds[entry.kind]}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="px-4 pb-4 text-sm text-ink-faint">{t.palette.nothing}</p>}
    </dialog>
  );
}
