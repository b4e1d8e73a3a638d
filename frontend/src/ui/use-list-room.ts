import { useLayoutEffect, useState, type RefObject } from "react";

const LIST_PX = 288;
const LIST_PX_LEAST = 96;
const GAP_PX = 14;

export interface ListRoom {
  isAbove: boolean;
  height: number;
}

/** Below the field when a whole list has room there; else on the side with more of it. */
export function roomOf(field: { top: number; bottom: number }, seen: { top: number; bottom: number }): ListRoom {
  const below = seen.bottom - field.bottom - GAP_PX;
  const above = field.top - seen.top - GAP_PX;
  const isAbove = below < LIST_PX && above > below;
  return { isAbove, height: Math.max(LIST_PX_LEAST, Math.min(LIST_PX, isAbove ? above : below)) };
}

/**
 * The part of the window that is seen: a phone's keyboard takes the rest. What stands above the top of a sheet that
 * scrolls cannot be reached; what stands below its end can.
 */
function seenPart(field: HTMLElement): { top: number; bottom: number } {
  const view = window.visualViewport;
  const seen = view ? { top: view.offsetTop, bottom: view.offsetTop + view.height } : { top: 0, bottom: window.innerHeight };
  for (let around = field.parentElement; around && around !== document.body; around = around.parentElement) {
    const { overflowY } = getComputedStyle(around);
    if (["auto", "scroll", "hidden", "clip"].includes(overflowY)) seen.top = Math.max(seen.top, around.getBoundingClientRect().top);
  }
  return seen;
}

/** Where the list of a field opens, measured again as the page moves while it is open. */
export function useListRoom(field: RefObject<HTMLElement | null>, isOpen: boolean): ListRoom {
  const [room, setRoom] = useState<ListRoom>({ isAbove: false, height: LIST_PX });
  useLayoutEffect(() => {
    if (!isOpen) return;
    const measure = (): void => {
      if (!field.current) return;
      const next = roomOf(field.current.getBoundingClientRect(), seenPart(field.current));
      setRoom((now) => (now.isAbove === next.isAbove && now.height === next.height ? now : next));
    };
    measure();
    window.addEventListener("resize", measure);
    window.addEventListener("scroll", measure, true);
    window.visualViewport?.addEventListener("resize", measure);
    return () => {
      window.removeEventListener("resize", measure);
      window.removeEventListener("scroll", measure, true);
      window.visualViewport?.removeEventListener("resize", measure);
    };
  }, [field, isOpen]);
  return room;
}
