/** Light, dark or as the system says; public/theme.js applies the same choice before the first paint. */
import { useEffect, useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";
const KEY = "iafa.theme";

// One for the page: the menu and the palette both offer the choice.
let chosen: Theme | null = null;
const listeners = new Set<() => void>();

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

const present = (): Theme => (chosen ??= storedTheme());

function set(theme: Theme): void {
  chosen = theme;
  for (const listener of listeners) listener();
}

function choose(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  set(theme);
}

// What another tab chose holds here, too.
addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) set(storedTheme());
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(subscribe, present);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = (): void => {
      document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "system" && system.matches));
    };
    follow();
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, [theme]);
  return [theme, choose];
}
