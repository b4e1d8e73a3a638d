/** Reordering a list by dragging a handle or by keys. Live: items change places while the pointer moves. */
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type PointerEvent as ReactPointerEvent, type RefObject } from "react";

interface Reorder {
  list: RefObject<HTMLOListElement | null>;
  dragged: number | null;
  /** For the handle: pointer and plain arrow keys. */
  handleProps: (index: number) => {
    onPointerDown: (event: ReactPointerEvent) => void;
    onKeyDown: (event: KeyboardEvent) => void;
  };
  /** For the whole item: Alt with an arrow key. */
  itemProps: (index: number) => { onKeyDown: (event: KeyboardEvent) => void };
}

const stepOf = (key: string): number => (key === "ArrowUp" ? -1 : key === "ArrowDown" ? 1 : 0);

export function useReorder(total: number, onMove: (from: number, to: number) => void): Reorder {
  const list = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const lastY = useRef(0);

  const step = useCallback(
    (event: KeyboardEvent, index: number): void => {
      const to = index + stepOf(event.key);
      if (to === index) return;
      event.preventDefault();
      event.stopPropagation();
      if (to >= 0 && to < total) onMove(index, to);
    },
    [onMove, total],
  );

  useEffect(() => {
    if (dragged === null) return;
    const follow = (event: PointerEvent): void => {
      const isDown = event.clientY > lastY.current;
      lastY.current = event.clientY;
      const to = dragged + (isDown ? 1 : -1);
      const box = list.current?.children[to]?.getBoundingClientRect();
      if (!box || to < 0 || to >= total) return;
      const middle = box.top + box.height / 2;
      // Only in the direction of the movement: items of unequal height would swap back and forth otherwise.
      if (isDown ? event.clientY < middle : event.clientY > middle) return;
      onMove(dragged, to);
      setDragged(to);
    };
    const drop = (): void => setDragged(null);
    globalThis.addEventListener("pointermove", follow);
    globalThis.addEventListener("pointerup", drop);
    globalThis.addEventListener("pointercancel", drop);
    return () => {
      globalThis.removeEventListener("pointermove", follow);
      globalThis.removeEventListener("pointerup", drop);
      globalThis.removeEventListener("pointercancel", drop);
    };
  }, [dragged, onMove, total]);

  return {
    list,
    dragged,
    handleProps: (index) => ({
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        lastY.current = event.clientY;
        setDragged(index);
      },
      onKeyDown: (event) => step(event, index),
    }),
    itemProps: (index) => ({
      onKeyDown: (event) => {
        if (event.altKey) step(event, index);
      },
    }),
  };
}
