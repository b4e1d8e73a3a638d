/** What is said of one person behind a number. */
import type { ExplainedPersonEvent, Explanation, FunnelPerson } from "@/api/types";
import { sentence } from "@/api/problem";
import { todayIn } from "@/lib/dates";
import { w } from "./words";

export function nameOf(one: Pick<FunnelPerson, "entity" | "user_id" | "anonymous_id">): string {
  return one.user_id ?? one.anonymous_id ?? one.entity;
}

/** Seconds from the first event of the path to its last. */
export function waited(one: Pick<FunnelPerson, "path">): number {
  const [first, last] = [one.path[0], one.path.at(-1)];
  return first && last ? Math.max(0, (Date.parse(last.time) - Date.parse(first.time)) / 1_000) : 0;
}

/** Why the path ended, in one line: the nearest miss, and how often else it was tried. */
export function reasonInShort(explained: Explanation): string {
  const [nearest, ...others] = explained.reasons;
  const stop = explained.stopped_at?.stage_name;
  if (!nearest) return stop ? w.person.stoppedBefore(stop) : "";
  return others.length > 0 ? `${reasonText(nearest)} ${w.person.tries(others.length)}` : reasonText(nearest);
}

/** A sentence, but for the name of an event in front: that stays as it was sent. */
export function reasonText({ text, event }: Explanation["reasons"][number]): string {
  const said = sentence(text);
  return event && text.startsWith(event.event_type) ? text.charAt(0) + said.slice(1) : said;
}

/** What the event log is asked for everything that somebody did, from the first day of what is shown to the last; null for who has no id. */
export function allEventsOf(explained: Pick<Explanation, "user_id" | "anonymous_id" | "events">, timeZone: string): URLSearchParams | null {
  const id = explained.user_id ?? explained.anonymous_id;
  if (id === null || id === undefined) return null;
  const [first, last] = [explained.events[0], explained.events.at(-1)];
  const dayOf = (event: ExplainedPersonEvent): string => todayIn(timeZone, new Date(event.time));
  const days: Record<string, string> = first && last ? { from: dayOf(first), to: dayOf(last) } : { range: "all" };
  return new URLSearchParams({ person: id, ...days, order: "asc" });
}

export type TimelineItem =
  | { kind: "event"; event: ExplainedPersonEvent; gap_s: number | null }
  /** Several events of one name in a row that changed nothing. */
  | { kind: "run"; name: string; count: number; key: string }
  | { kind: "stop" };

const RUN_MIN = 4;

const isPlain = (event: ExplainedPersonEvent): boolean =>
  event.fills === null && !event.fills_optional && event.matches_exclusions.length === 0 && event.failed_filters.length === 0;

/** The events in time, long runs of the same folded, and the place where the path ended. */
export function timeline(explained: Explanation, isFolded: boolean): TimelineItem[] {
  const { events } = explained;
  const lastFilled = events.reduce((last, event, index) => (event.fills === null ? last : index), -1);
  const items: TimelineItem[] = [];
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index];
    if (!event) break;
    const length = isFolded ? runLength(events, index) : 1;
    if (length >= RUN_MIN) {
      items.push({ kind: "run", name: event.event_type, count: length, key: event.event_id });
      index += length - 1;
    } else {
      const before = events[index - 1];
      items.push({ kind: "event", event, gap_s: before ? (Date.parse(event.time) - Date.parse(before.time)) / 1_000 : null });
    }
    if (index === lastFilled && explained.stopped_at) items.push({ kind: "stop" });
  }
  if (lastFilled < 0 && explained.stopped_at) items.push({ kind: "stop" });
  return items;
}

function runLength(events: readonly ExplainedPersonEvent[], from: number): number {
  const first = events[from];
  let to = from;
  while (first && to < events.length) {
    const event = events[to];
    if (!event || event.event_type !== first.event_type || !isPlain(event)) break;
    to += 1;
  }
  return to - from;
}
