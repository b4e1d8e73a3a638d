import { useCallback, useState } from "react";

const AHEAD = "300px";

/** Whether an element was on the screen, or nearly so; once seen, it stays seen. */
export function useSeen(): [boolean, (element: HTMLElement | null) => (() => void) | undefined] {
  const [isSeen, setSeen] = useState(typeof IntersectionObserver === "undefined");
  const watch = useCallback((element: HTMLElement | null) => {
    if (!element || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((one) => one.isIntersecting)) return;
        setSeen(true);
        observer.disconnect();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [isSeen, watch];
}
