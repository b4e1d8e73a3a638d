import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Sheet } from "@/ui/sheet";
import { Menu as MenuIcon } from "lucide-react";
import { useState } from "react";
import { NavLink } from "react-router";
import type { PlaceGroup } from "./navigation";
import { SideNav } from "./side-nav";

const SHOWN = 4;
const look = "flex h-14 min-w-0 flex-col items-center justify-center gap-1 text-xs font-medium";

/** On a phone: the four places people go to most, and a sheet with all of them. */
export function BottomBar({ groups }: { groups: readonly PlaceGroup[] }) {
  const [isOpen, setOpen] = useState(false);
  const places = groups.flatMap((group) => group.places);
  const first = places.slice(0, SHOWN - 1).concat(places.filter((place) => place.label === t.nav.events));
  return (
    <nav
      aria-label={t.nav.main}
      className="fixed inset-x-0 bottom-0 z-20 grid auto-cols-fr grid-flow-col border-t border-line bg-canvas/95 pb-[env(safe-area-inset-bottom)] backdrop-blur lg:hidden"
    >
      {first.map((place) => (
        <NavLink key={place.to} to={place.to} className={({ isActive }) => cn(look, isActive ? "text-accent-ink" : "text-ink-soft")}>
          <place.icon aria-hidden className="size-5" />
          {place.label}
        </NavLink>
      ))}
      <button type="button" className={cn(look, "text-ink-soft")} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <MenuIcon aria-hidden className="size-5" />
        {t.nav.more}
      </button>
      <Sheet open={isOpen} onClose={() => setOpen(false)} title={t.nav.main} side="bottom">
        <SideNav groups={groups} onLeave={() => setOpen(false)} className="pb-4" />
      </Sheet>
    </nav>
  );
}
