import { useCallback, useState } from "react";

/** The width of an element in whole pixels, followed as it changes; null until it is laid out. */
export function useWidth(): [number | null, (element: HTMLElement | null) => (() => void) | undefined] {
  const [width, setWidth] = useState<number | null>(null);
  const measure = useCallback((element: HTMLElement | null) => {
    if (!element) return;
    const read = (): void => setWidth(Math.floor(element.clientWidth) || null);
    const observer = new ResizeObserver(read);
    observer.observe(element);
    read();
    return () => observer.disconnect();
  }, []);
  return [width, measure];
}
