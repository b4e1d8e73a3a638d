/** What the live view holds: the latest events of each outcome, counts, and how many came in each span of time. Bounded. */
import type { LiveItem, LiveNews, LiveResult } from "@/api/live";

export const OUTCOMES: readonly LiveResult[] = ["stored", "bot", "duplicate", "sampled_out", "limited", "rejected"];
/** Held of each outcome, so that many stored events never push out the one that was refused; and shown at most. */
export const HELD_MAX = 500;
export const SPAN_MS = 5_000;
export const SPANS = 60;

export interface LiveRow extends LiveItem {
  /** Counted up by this page: the order in which events were told. */
  number: number;
}

export type Counts = Record<LiveResult, number>;

export interface LiveStore {
  held: Readonly<Record<LiveResult, readonly LiveRow[]>>;
  counts: Counts;
  skipped: number;
  hasGap: boolean;
  /** By the begin of the span (epoch ms, by this page's clock). */
  spans: ReadonlyMap<number, Counts>;
  next: number;
  since: number;
}

const noCounts = (): Counts => ({ stored: 0, bot: 0, duplicate: 0, sampled_out: 0, limited: 0, rejected: 0 });

export function emptyStore(now: number): LiveStore {
  return {
    held: { stored: [], bot: [], duplicate: [], sampled_out: [], limited: [], rejected: [] },
    counts: noCounts(),
    skipped: 0,
    hasGap: false,
    spans: new Map(),
    next: 1,
    since: now,
  };
}

/** An outcome that this page does not know is shown as refused: it was not stored, or somebody should look. */
const outcomeOf = (item: LiveItem): LiveResult => (OUTCOMES.includes(item.result) ? item.result : "rejected");

export function withNews(store: LiveStore, news: LiveNews, now: number): LiveStore {
  const span = Math.floor(now / SPAN_MS) * SPAN_MS;
  const spans = new Map([...store.spans].filter(([at]) => at > span - SPANS * SPAN_MS));
  const counts = { ...store.counts };
  const inSpan = { ...(spans.get(span) ?? noCounts()) };
  const held = { ...store.held };
  let next = store.next;
  const added = new Map<LiveResult, LiveRow[]>();
  for (const item of news.items) {
    const outcome = outcomeOf(item);
    const amount = item.count ?? 1;
    counts[outcome] += amount;
    inSpan[outcome] += amount;
    added.set(outcome, [...(added.get(outcome) ?? []), { ...item, result: outcome, number: next }]);
    next += 1;
  }
  for (const [outcome, rows] of added) held[outcome] = [...held[outcome], ...rows].slice(-HELD_MAX);
  if (news.items.length > 0) spans.set(span, inSpan);
  return { ...store, held, counts, skipped: store.skipped + news.skipped, hasGap: store.hasGap || news.hasGap, spans, next };
}

/** The latest, newest first. */
export function rowsShown(store: LiveStore, outcome: LiveResult | null): LiveRow[] {
  const chosen = outcome === null ? OUTCOMES.flatMap((one) => store.held[one]) : [...store.held[outcome]];
  return chosen.sort((one, two) => two.number - one.number).slice(0, HELD_MAX);
}

export const total = (counts: Counts): number => OUTCOMES.reduce((sum, one) => sum + counts[one], 0);

/** Events of each span of the last minutes, oldest first; the last one is not over. Null before this page looked. */
export function rateOf(store: LiveStore, now: number): { at: number; counts: Counts | null }[] {
  const last = Math.floor(now / SPAN_MS) * SPAN_MS;
  return Array.from({ length: SPANS }, (_none, index) => {
    const at = last - (SPANS - 1 - index) * SPAN_MS;
    // The clock of the page ticks behind what clears the store: the last span is always known.
    const isKnown = at + SPAN_MS > store.since || at === last;
    return { at, counts: isKnown ? (store.spans.get(at) ?? noCounts()) : null };
  });
}
