import { cn } from "@/lib/class-names";
import { useCallback, useLayoutEffect, useRef, useState, type ReactNode } from "react";

/** Less than this is rounding, not content that is hidden. */
const SLACK_PX = 1;

interface Extent {
  /** The sides behind which content lies, as `data-more` takes them. */
  more: string;
  isScrollable: boolean;
}

const NOTHING_MORE: Extent = { more: "", isScrollable: false };

export function extentOf(box: Pick<HTMLElement, "scrollLeft" | "clientWidth" | "scrollWidth" | "clientHeight" | "scrollHeight">): Extent {
  const beyond = box.scrollWidth - box.clientWidth;
  const sides = [box.scrollLeft > SLACK_PX ? "start" : "", beyond - box.scrollLeft > SLACK_PX ? "end" : ""];
  return { more: sides.join(" ").trim(), isScrollable: beyond > SLACK_PX || box.scrollHeight - box.clientHeight > SLACK_PX };
}

/**
 * Follows what a box hides at its sides. Shadows of CSS alone lie under rows that have a colour, and animations driven by
 * scrolling are not in every browser.
 */
export function useExtent(): { extent: Extent; measure: () => void; box: (element: HTMLElement | null) => (() => void) | undefined } {
  const [extent, setExtent] = useState<Extent>(NOTHING_MORE);
  const element = useRef<HTMLElement | null>(null);
  const observer = useRef<ResizeObserver | null>(null);
  const measure = useCallback((): void => {
    if (!element.current) return;
    const next = extentOf(element.current);
    setExtent((now) => (now.more === next.more && now.isScrollable === next.isScrollable ? now : next));
  }, []);
  const box = useCallback(
    (found: HTMLElement | null) => {
      if (!found) return;
      const watch = new ResizeObserver(measure);
      element.current = found;
      observer.current = watch;
      watch.observe(found);
      return () => {
        watch.disconnect();
        element.current = null;
        observer.current = null;
      };
    },
    [measure],
  );
  const content = useRef<Element | null>(null);
  useLayoutEffect(() => {
    measure();
    const first = element.current?.firstElementChild ?? null;
    if (first === content.current) return;
    if (content.current) observer.current?.unobserve(content.current);
    if (first) observer.current?.observe(first);
    content.current = first;
  });
  return { extent, measure, box };
}

interface Props {
  /** Names the region; without it the content must be reachable by keys itself. */
  label?: string;
  /** Of the frame around the box: borders, and how high it may get. */
  className?: string | undefined;
  /** Of the box that scrolls. */
  inside?: string;
  children: ReactNode;
}

/** Content that may be wider than its place: a shadow at each side that hides some, and arrow keys scroll it. */
export function Scroller({ label, className, inside, children }: Props) {
  const { extent, measure, box } = useExtent();
  return (
    <div className={cn("scroll-edges flex min-h-0 min-w-0 flex-col", className)} data-more={extent.more}>
      <div
        ref={box}
        onScroll={measure}
        className={cn("min-h-0 min-w-0 overflow-auto -outline-offset-2", inside)}
        {...(label !== undefined && { role: "region", "aria-label": label, ...(extent.isScrollable && { tabIndex: 0 }) })}
      >
        {children}
      </div>
    </div>
  );
}
