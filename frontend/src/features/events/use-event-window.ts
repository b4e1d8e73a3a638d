/** The event log as a table holds it: first page, pages below and above, and what arrives meanwhile. */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { cursorAbove, cursorBelow, freshIn, isFromTop, rowsOf, startWith, withAbove, withBelow, withTop, type EventWindow, type LogRow } from "./event-window";
import { loadPage, topQuery, type LogAnswer, type LogAsked } from "./queries";

interface Held {
  asked: string;
  window: EventWindow;
  /** The answer about the top that was looked at last. */
  top: LogAnswer;
  /** The first row that was shown: what stands before it is new. */
  newest: LogRow | null;
}

export interface EventLogView {
  rows: readonly LogRow[];
  /** Events that came and are not shown yet. */
  fresh: { count: number; isAtLeast: boolean };
  version: string | null;
  isWhole: boolean;
  isStale: boolean;
  isLoadingMore: boolean;
  error: unknown;
  moreError: unknown;
  loadBelow: () => void;
  loadAbove: () => void;
  /** Puts the new events into the table. */
  showFresh: () => void;
  retry: () => void;
}

/** `takesFresh`: new events go into the table by themselves. */
export function useEventWindow(asked: LogAsked, { watch, takesFresh }: { watch: "tail" | "slow" | "no"; takesFresh: boolean }): EventLogView {
  const top = useQuery(topQuery(asked, watch));
  const key = JSON.stringify(asked);
  const [held, setHeld] = useState<Held | null>(null);
  const [isLoadingMore, setLoadingMore] = useState(false);
  const [moreError, setMoreError] = useState<unknown>(null);
  const busy = useRef(false);

  const answer = top.isPlaceholderData ? undefined : top.data;
  const isBehind = held?.asked === key && takesFresh && freshIn(held.top, held.newest, asked.order).count > 0;
  if (answer && (held?.asked !== key || held.top !== answer || isBehind)) {
    // A first answer, or one about another question, begins anew; a later one is put on top or waits.
    if (held?.asked !== key) {
      setHeld({ asked: key, window: startWith(answer, asked.order), top: answer, newest: answer.rows[0] ?? null });
      setMoreError(null);
    } else if (takesFresh || held.window.pages[0]?.rows.length === 0) {
      setHeld({ ...held, window: withTop(held.window, answer), top: answer, newest: answer.rows[0] ?? null });
    } else {
      setHeld({ ...held, top: answer });
    }
  }

  const load = async (place: "below" | "above"): Promise<void> => {
    const cursor = held && (place === "below" ? cursorBelow(held.window) : cursorAbove(held.window));
    if (!cursor || busy.current || held.asked !== key) return;
    busy.current = true;
    setLoadingMore(true);
    setMoreError(null);
    try {
      const page = await loadPage(asked, cursor);
      const put = place === "below" ? withBelow : withAbove;
      setHeld((now) => (now?.asked === key ? { ...now, window: put(now.window, cursor, page) } : now));
    } catch (error) {
      setMoreError(error);
    } finally {
      busy.current = false;
      setLoadingMore(false);
    }
  };

  const window = held?.window;
  const rows = useMemo(() => (window ? rowsOf(window) : []), [window]);
  return {
    rows,
    fresh: held ? freshIn(held.top, held.newest, asked.order) : { count: 0, isAtLeast: false },
    version: held?.top.version ?? null,
    isWhole: held !== null && cursorBelow(held.window) === null && isFromTop(held.window),
    isStale: held !== null && held.asked !== key,
    isLoadingMore,
    error: held === null ? top.error : top.isError && top.data === undefined ? top.error : null,
    moreError,
    loadBelow: () => void load("below"),
    loadAbove: () => void load("above"),
    showFresh: () => setHeld((now) => now && { ...now, window: withTop(now.window, now.top), newest: now.top.rows[0] ?? null }),
    retry: () => void top.refetch(),
  };
}
