/** Deletions that can be taken back: the thing is gone from the page at once and from the service a few seconds later. */
import { asProblem, explain } from "@/api/problem";
import { t } from "@/lib/strings";
import { useToast } from "@/ui/toast";
import { useCallback, useEffect, useRef, useState } from "react";

export const UNDO_MS = 8_000;

interface Options {
  /** Deletes for good. Called after the time to take it back, or when the page is left. */
  remove: (id: string) => Promise<unknown>;
  /** Words such as "Funnel deleted". */
  said: string;
  /** Called when it is deleted for good. */
  onRemoved?: (id: string) => void;
  /** No toast: a sheet is over it, and says and takes back by itself. */
  isQuiet?: boolean;
}

interface Undoable {
  /** Ids that are to be shown no more. */
  hidden: ReadonlySet<string>;
  drop: (id: string) => void;
  /** Takes it back. */
  restore: (id: string) => void;
}

/** The caller leaves `hidden` ids out of its list; the deletion is sent when nobody took it back, or when the page is left. */
export function useUndoableDelete({ remove, said, onRemoved, isQuiet = false }: Options): Undoable {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const waiting = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const latest = useRef({ remove, onRemoved });
  const toast = useToast();
  useEffect(() => {
    latest.current = { remove, onRemoved };
  });
  const show = useCallback((id: string) => setHidden((old) => new Set([...old].filter((one) => one !== id))), []);
  const finish = useCallback(
    async (id: string) => {
      clearTimeout(waiting.current.get(id));
      waiting.current.delete(id);
      try {
        await latest.current.remove(id);
        latest.current.onRemoved?.(id);
      } catch (error) {
        const { title, advice } = explain(asProblem(error));
        toast({ tone: "danger", text: `${title} ${advice}` });
        show(id);
      }
    },
    [show, toast],
  );
  useEffect(() => {
    const pending = waiting.current;
    const finishAll = (): void => [...pending.keys()].forEach((id) => void finish(id));
    globalThis.addEventListener("pagehide", finishAll);
    return () => {
      globalThis.removeEventListener("pagehide", finishAll);
      finishAll();
    };
  }, [finish]);
  const restore = useCallback(
    (id: string) => {
      clearTimeout(waiting.current.get(id));
      waiting.current.delete(id);
      show(id);
    },
    [show],
  );
  const drop = useCallback(
    (id: string) => {
      setHidden((old) => new Set(old).add(id));
      waiting.current.set(id, setTimeout(() => void finish(id), UNDO_MS));
      if (!isQuiet) toast({ text: said, shown_ms: UNDO_MS, action: { label: t.actions.undo, run: () => restore(id) } });
    },
    [finish, isQuiet, restore, said, toast],
  );
  return { hidden, drop, restore };
}
