import { useCallback, useState } from "react";

/** Whether an element has come into view; once it has, it stays so. A browser that cannot tell shows everything. */
export function useOnScreen(): [boolean, (element: HTMLElement | null) => (() => void) | undefined] {
  const [isSeen, setSeen] = useState(!("IntersectionObserver" in globalThis));
  const watch = useCallback((element: HTMLElement | null) => {
    if (!element || !("IntersectionObserver" in globalThis)) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
      },
      { rootMargin: "200px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [isSeen, watch];
}
