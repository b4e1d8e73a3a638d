import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Spinner } from "@/ui/spinner";
import { ChartNoAxesColumnDecreasing, CodeXml, Settings2, type LucideIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { NavLink, Outlet, ScrollRestoration, useMatch, useNavigation } from "react-router";
import { AccountMenu } from "./account-menu";
import { rememberProject } from "./last-project";
import { paths } from "./paths";
import { ProjectSwitch } from "./project-switch";
import { Shortcuts } from "./shortcuts";

interface Item {
  to: string;
  label: string;
  icon: LucideIcon;
}

const itemsOf = (projectId: string): Item[] => [
  { to: paths.funnels(projectId), label: t.nav.funnels, icon: ChartNoAxesColumnDecreasing },
  { to: paths.setup(projectId), label: t.nav.setup, icon: CodeXml },
  { to: paths.settings(projectId), label: t.nav.settings, icon: Settings2 },
];

export function AppFrame() {
  const projectId = useMatch("/p/:projectId/*")?.params.projectId;
  const [isHelpOpen, setHelpOpen] = useState(false);
  const isMoving = useNavigation().state !== "idle";
  useEffect(() => {
    if (projectId) rememberProject(projectId);
  }, [projectId]);
  const items = projectId ? itemsOf(projectId) : [];
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
        <nav aria-label={t.nav.main} className="mt-4 flex flex-col gap-0.5">
          {items.map((item) => (
            <SideLink key={item.to} item={item} />
          ))}
        </nav>
        <div className="mt-auto">
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
      {items.length > 0 && (
        <nav
          aria-label={t.nav.main}
          className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-3 border-t border-line bg-canvas/95 pb-[env(safe-area-inset-bottom)] backdrop-blur lg:hidden"
        >
          {items.map((item) => (
            <BottomLink key={item.to} item={item} />
          ))}
        </nav>
      )}
      {isMoving && (
        <div className="fixed top-3 right-3 z-30 animate-fade text-ink-faint" role="status" aria-label={t.states.loading}>
          <Spinner />
        </div>
      )}
      <Shortcuts isHelpOpen={isHelpOpen} onHelp={setHelpOpen} />
      <ScrollRestoration />
    </div>
  );
}

function SideLink({ item }: { item: Item }) {
  const Icon = item.icon;
  return (
    <NavLink
      to={item.to}
      className={({ isActive }) =>
        cn(
          "flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-sm font-medium transition-colors duration-150",
          isActive ? "bg-hover text-ink" : "text-ink-soft hover:bg-hover hover:text-ink",
        )
      }
    >
      {({ isActive }) => (
        <>
          <Icon aria-hidden className={cn("size-4", isActive ? "text-accent-ink" : "text-ink-faint")} />
          {item.label}
        </>
      )}
    </NavLink>
  );
}

function BottomLink({ item }: { item: Item }) {
  const Icon = item.icon;
  return (
    <NavLink
      to={item.to}
      className={({ isActive }) =>
        cn("flex h-14 flex-col items-center justify-center gap-1 text-xs font-medium", isActive ? "text-accent-ink" : "text-ink-soft")
      }
    >
      <Icon aria-hidden className="size-5" />
      {item.label}
    </NavLink>
  );
}
