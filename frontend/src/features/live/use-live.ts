import { LiveConnection, type LiveFilter, type LiveState } from "@/api/live";
import { browserWorld } from "@/api/live-socket";
import { useEffect, useRef, useState } from "react";
import { emptyStore, withNews, type LiveStore } from "./live-store";

const TICK_MS = 1_000;

export interface Live {
  state: LiveState;
  store: LiveStore;
  now: number;
  clear: () => void;
  retry: () => void;
}

/** Watches a project as long as the page is open. Another filter is another watch: give the component a key. */
export function useLive(projectId: string, eventType: string | null, person: string | null): Live {
  const [state, setState] = useState<LiveState>({ is: "connecting" });
  const [store, setStore] = useState(() => emptyStore(Date.now()));
  const [now, setNow] = useState(() => Date.now());
  const connection = useRef<LiveConnection | null>(null);
  useEffect(() => {
    const filter: LiveFilter = { ...(eventType !== null && { event_type: eventType }), ...(person !== null && { person }) };
    const opened = new LiveConnection(
      browserWorld(projectId),
      { onState: setState, onNews: (news) => setStore((held) => withNews(held, news, Date.now())) },
      filter,
    );
    opened.open();
    connection.current = opened;
    const clock = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => {
      clearInterval(clock);
      opened.close();
    };
  }, [projectId, eventType, person]);
  return { state, store, now, clear: () => setStore(emptyStore(Date.now())), retry: () => connection.current?.retry() };
}
