import { useMay } from "@/features/account/use-role";
import { t } from "@/lib/strings";
import { Dialog } from "@/ui/dialog";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useMatch, useNavigate } from "react-router";
import type { CarriedDays } from "./carried-days";
import { placesOf, type Place } from "./navigation";
import { paths } from "./paths";
import { useOfficePlaces } from "./use-office-places";

const Palette = lazy(() => import("./palette"));
const SEQUENCE_MS = 1_000;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest("input, textarea, select, dialog, [role=menu]") !== null;
}

/** The address a key leads to; null when the key means nothing here. */
function destination(keys: string, places: readonly Place[], mayChange: boolean, projectId: string | undefined, funnelId: string | undefined): string | null {
  if (keys === "gp") return paths.projects;
  const place = keys.startsWith("g") ? places.find((one) => one.key === keys.slice(1)) : undefined;
  if (place) return place.to;
  if (!projectId || !mayChange) return null;
  if (keys === "n") return paths.newFunnel(projectId);
  if (keys === "e" && funnelId && funnelId !== "new") return paths.editFunnel(projectId, funnelId);
  return null;
}

interface Props {
  isHelpOpen: boolean;
  onHelp: (open: boolean) => void;
  isPaletteOpen: boolean;
  onPalette: (open: boolean) => void;
  carried: CarriedDays | null;
}

export function Shortcuts({ isHelpOpen, onHelp, isPaletteOpen, onPalette, carried }: Props) {
  const navigate = useNavigate();
  const projectId = useMatch("/p/:projectId/*")?.params.projectId;
  const funnelId = useMatch("/p/:projectId/funnels/:funnelId")?.params.funnelId;
  const started = useRef(0);
  const [wasOpened, setOpened] = useState(false);
  if (isPaletteOpen && !wasOpened) setOpened(true);
  const officePlaces = useOfficePlaces();
  const mayChange = useMay("editor");
  const places = useMemo(() => [...(projectId ? placesOf(projectId, carried).flatMap((group) => group.places) : []), ...officePlaces], [projectId, carried, officePlaces]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        return onPalette(true);
      }
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const isSecond = Date.now() - started.current < SEQUENCE_MS;
      started.current = event.key === "g" && !isSecond ? Date.now() : 0;
      if (event.key === "?") return onHelp(true);
      if (event.key === "/") {
        event.preventDefault();
        return onPalette(true);
      }
      const to = destination((isSecond ? "g" : "") + event.key, places, mayChange, projectId, funnelId);
      if (!to) return;
      event.preventDefault();
      void navigate(to);
    };
    globalThis.addEventListener("keydown", onKeyDown);
    return () => globalThis.removeEventListener("keydown", onKeyDown);
  }, [navigate, onHelp, onPalette, places, mayChange, projectId, funnelId]);
  const list = [
    ...places.flatMap((place) => (place.key ? [{ keys: ["g", place.key], text: t.shortcuts.goTo(place.label) }] : [])),
    ...t.shortcuts.list.filter((one) => mayChange || !one.isChange),
  ];
  return (
    <>
      <Dialog open={isHelpOpen} onClose={() => onHelp(false)} title={t.shortcuts.title} className="w-[min(44rem,calc(100vw-2rem))]">
        <dl className="mt-4 grid items-center gap-x-10 gap-y-2 text-sm sm:grid-cols-2">
          {list.map((shortcut) => (
            <div key={shortcut.text} className="flex items-center gap-4">
              <dt className="flex w-24 shrink-0 gap-1">
                {shortcut.keys.map((key) => (
                  <Key key={key}>{key}</Key>
                ))}
              </dt>
              <dd className="text-ink-soft">{shortcut.text}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
      {wasOpened && (
        <Suspense fallback={null}>
          <Palette open={isPaletteOpen} onClose={() => onPalette(false)} projectId={projectId} places={places} carried={carried} />
        </Suspense>
      )}
    </>
  );
}

function Key({ children }: { children: string }) {
  return (
    <kbd className="inline-grid h-6 min-w-6 place-items-center rounded-md border border-line bg-sunken px-1.5 font-sans text-xs font-medium text-ink-soft">
      {children}
    </kbd>
  );
}
