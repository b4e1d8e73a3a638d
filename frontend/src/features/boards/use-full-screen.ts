import { useEffect } from "react";
import { useSearchParams } from "react-router";

/** `?tv=yes` shows the board alone; the browser's own full screen follows where it is allowed. */
export function useFullScreen(): { isOn: boolean; enter: () => void; leave: () => void } {
  const [search, setSearch] = useSearchParams();
  const isOn = search.get("tv") === "yes";
  const put = (on: boolean): void => {
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        if (on) next.set("tv", "yes");
        else next.delete("tv");
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  };
  useEffect(() => {
    if (!isOn) return;
    const out = (): void => put(false);
    const left = (): void => {
      if (!document.fullscreenElement) out();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape") out();
    };
    document.addEventListener("fullscreenchange", left);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("fullscreenchange", left);
      document.removeEventListener("keydown", key);
    };
  });
  return {
    isOn,
    enter: () => {
      put(true);
      // A refusal leaves the board over the whole window, which is nearly the same.
      void document.documentElement.requestFullscreen?.().catch(() => undefined);
    },
    leave: () => {
      put(false);
      if (document.fullscreenElement) void document.exitFullscreen();
    },
  };
}
