import { sessionQuery, useSignOut } from "@/features/account/queries";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { useQuery } from "@tanstack/react-query";
import { BookOpen, Check, Keyboard, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useNavigate } from "react-router";
import { paths } from "./paths";
import { useTheme, type Theme } from "./theme";
import { useOfficePlaces } from "./use-office-places";

const THEMES: readonly { theme: Theme; icon: typeof Sun }[] = [
  { theme: "light", icon: Sun },
  { theme: "dark", icon: Moon },
  { theme: "system", icon: Monitor },
];

export function AccountMenu({ onHelp, isCompact = false }: { onHelp: () => void; isCompact?: boolean }) {
  const session = useQuery(sessionQuery).data;
  const signOut = useSignOut();
  const navigate = useNavigate();
  const officePlaces = useOfficePlaces();
  const [theme, chooseTheme] = useTheme();
  // A failed request still ends the session here; its callbacks would be lost with this menu.
  const leave = async (): Promise<void> => {
    await signOut.mutateAsync().catch(() => undefined);
    await navigate(paths.signIn);
  };
  const name = session?.user.full_name || session?.user.email || "";
  return (
    <Menu
      align={isCompact ? "end" : "start"}
      className="w-58"
      trigger={
        <button
          type="button"
          className="flex min-w-0 items-center gap-2.5 rounded-lg p-1.5 text-left transition-colors duration-150 hover:bg-hover data-[state=open]:bg-hover lg:w-full"
        >
          <span className="sr-only">{t.nav.account}</span>
          <span aria-hidden className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-wash text-xs font-semibold text-accent-ink uppercase">
            {[...name][0] ?? ""}
          </span>
          <span className={cn("min-w-0 flex-1", isCompact && "hidden")}>
            <span dir="auto" className="block truncate text-sm font-medium">
              {name}
            </span>
            <span className="block truncate text-xs text-ink-faint">{session?.organization.name}</span>
          </span>
        </button>
      }
    >
      <MenuLabel>
        <span className="stranger">{session?.user.email}</span>
      </MenuLabel>
      <MenuLine />
      <MenuLabel>{t.nav.theme}</MenuLabel>
      {THEMES.map((one) => (
        <MenuItem
          key={one.theme}
          onSelect={(event) => {
            event.preventDefault();
            chooseTheme(one.theme);
          }}
        >
          <one.icon aria-hidden />
          <span className="flex-1">{t.nav.themes[one.theme]}</span>
          {theme === one.theme && <Check aria-hidden />}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuLabel>{t.nav.office}</MenuLabel>
      {officePlaces.map((place) => (
        <MenuItem key={place.to} onSelect={() => void navigate(place.to)}>
          <place.icon aria-hidden />
          {place.label}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={onHelp}>
        <Keyboard aria-hidden />
        {t.nav.shortcuts}
      </MenuItem>
      <MenuItem asChild>
        <a href="/docs" target="_blank" rel="noreferrer">
          <BookOpen aria-hidden />
          {t.nav.docs}
        </a>
      </MenuItem>
      <MenuItem onSelect={() => void leave()}>
        <LogOut aria-hidden />
        {t.nav.signOut}
      </MenuItem>
    </Menu>
  );
}
