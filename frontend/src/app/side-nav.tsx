import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { useEffect, useRef } from "react";
import { NavLink, useLocation } from "react-router";
import type { Place, PlaceGroup } from "./navigation";
import { PeopleNow } from "./people-now";

/** The column of places; `onLeave` closes the sheet it may stand in. */
export function SideNav({ groups, onLeave, className }: { groups: readonly PlaceGroup[]; onLeave?: () => void; className?: string }) {
  const ref = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // In a low window the last places stand below the fold: where somebody is must be in view.
  useEffect(() => {
    ref.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
  return (
    <nav ref={ref} aria-label={t.nav.main} className={cn("flex flex-col gap-4", className)}>
      {groups.map((group, index) => (
        <div key={index} className="flex flex-col gap-px">
          {group.label && <p className="px-2.5 pb-1 text-xs font-medium text-ink-faint">{group.label}</p>}
          {group.places.map((place) => (
            <SideLink key={place.to} place={place} {...(onLeave && { onLeave })} />
          ))}
        </div>
      ))}
    </nav>
  );
}

function SideLink({ place, onLeave }: { place: Place; onLeave?: () => void }) {
  const Icon = place.icon;
  return (
    <NavLink
      to={place.to}
      {...(onLeave && { onClick: onLeave })}
      className={({ isActive }) =>
        cn(
          "flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-sm font-medium transition-colors duration-150 max-lg:h-10",
          isActive ? "bg-hover text-ink" : "text-ink-soft hover:bg-hover hover:text-ink",
        )
      }
    >
      {({ isActive }) => (
        <>
          <Icon aria-hidden className={cn("size-4", isActive ? "text-accent-ink" : "text-ink-faint")} />
          {place.label}
          {/* The space parts the two for a screen reader. */}{" "}
          {place.counted !== undefined && <PeopleNow projectId={place.counted} />}
        </>
      )}
    </NavLink>
  );
}
