import { projectsQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { Outlet, ScrollRestoration, useLocation, useMatch, useNavigation } from "react-router";
import { AccountMenu } from "./account-menu";
import { BottomBar } from "./bottom-bar";
import { carriedFrom, isSameDays, type CarriedDays } from "./carried-days";
import { lastProject, rememberProject } from "./last-project";
import { placesOf, type PlaceGroup } from "./navigation";
import { placeKey } from "./place-key";
import { ProjectSwitch } from "./project-switch";
import { Shortcuts } from "./shortcuts";
import { SideNav } from "./side-nav";
import { useOfficePlaces } from "./use-office-places";

export function AppFrame() {
  // Pages of the organization keep the places of the project one came from.
  const opened = useMatch("/p/:projectId/*")?.params.projectId;
  const known = useQuery(projectsQuery).data;
  const projectId = opened ?? known?.find((one) => one.id === lastProject())?.id;
  const carried = useCarried(opened);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const isMoving = useNavigation().state !== "idle";
  useEffect(() => {
    if (opened) rememberProject(opened);
  }, [opened]);
  const office: PlaceGroup = { label: t.nav.office, places: useOfficePlaces() };
  const groups = [...(projectId ? placesOf(projectId, carried) : []), ...(opened ? [] : [office])];
  return (
    <div className="min-h-dvh lg:pl-58">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-sm font-medium text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {t.actions.skipToContent}
      </a>
      <aside className="fixed inset-y-0 left-0 z-20 hidden w-58 flex-col border-r border-line bg-canvas p-3 lg:flex">
        <ProjectSwitch projectId={projectId} />
        <button
          type="button"
          onClick={() => setPaletteOpen(true)}
          className="mt-2 flex h-8 items-center gap-2.5 rounded-lg border border-line bg-surface px-2.5 text-left text-sm text-ink-faint shadow-card transition-colors hover:bg-hover"
        >
          <Search aria-hidden className="size-4" />
          <span className="min-w-0 flex-1 truncate">{t.nav.search}</span>
          <kbd className="font-sans text-xs">/</kbd>
        </button>
        <SideNav groups={groups} className="-mx-1 mt-3 min-h-0 flex-1 overflow-y-auto px-1 py-1" />
        <div className="pt-2">
          <AccountMenu onHelp={() => setHelpOpen(true)} />
        </div>
      </aside>
      <header className="sticky top-0 z-20 flex h-14 items-center justify-between gap-3 border-b border-line bg-canvas/90 px-3 backdrop-blur lg:hidden">
        <ProjectSwitch projectId={projectId} />
        <AccountMenu onHelp={() => setHelpOpen(true)} isCompact />
      </header>
      <main id="content" tabIndex={-1} className="mx-auto max-w-7xl px-4 pt-6 pb-28 outline-none sm:px-8 lg:pt-7 lg:pb-16">
        <Outlet />
      </main>
      <BottomBar groups={groups} />
      {isMoving && (
        <div className="fixed top-3 right-3 z-30 animate-fade text-ink-faint" role="status" aria-label={t.states.loading}>
          <Spinner />
        </div>
      )}
      <Shortcuts isHelpOpen={isHelpOpen} onHelp={setHelpOpen} isPaletteOpen={isPaletteOpen} onPalette={setPaletteOpen} carried={carried} />
      <ScrollRestoration getKey={placeKey} />
    </div>
  );
}

/** The days of the page, or of the last page that had some: the address is the truth, this only remembers it. */
function useCarried(projectId: string | undefined): CarriedDays | null {
  const { pathname, search } = useLocation();
  const [before, remember] = useState<CarriedDays | null>(null);
  if (projectId === undefined) return before;
  const carried = carriedFrom(pathname, new URLSearchParams(search), projectId, before);
  if (!isSameDays(carried, before)) remember(carried);
  return carried;
}
