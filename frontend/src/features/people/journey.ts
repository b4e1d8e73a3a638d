/** A person's events as days, each with its events and the pauses between them. */
import { todayIn, type Day } from "@/lib/dates";

export interface Moment {
  created_at: string;
}

export interface JourneyEvent<Event> {
  event: Event;
  /** Seconds since the event before it, when that was long ago on the same day. */
  pause: number | null;
}

export interface JourneyDay<Event> {
  day: Day;
  events: JourneyEvent<Event>[];
}

/** Events newest first in, days newest first out. `gap_seconds` is the pause that is worth a word. */
export function journeyDays<Event extends Moment>(events: readonly Event[], timeZone: string, gap_seconds: number): JourneyDay<Event>[] {
  const days: JourneyDay<Event>[] = [];
  events.forEach((event, at) => {
    const day = todayIn(timeZone, new Date(event.created_at));
    const earlier = events[at + 1];
    const seconds = earlier ? (Date.parse(event.created_at) - Date.parse(earlier.created_at)) / 1_000 : 0;
    const isSameDay = earlier !== undefined && todayIn(timeZone, new Date(earlier.created_at)) === day;
    const shown = { event, pause: isSameDay && seconds > gap_seconds ? seconds : null };
    const last = days.at(-1);
    if (last?.day === day) last.events.push(shown);
    else days.push({ day, events: [shown] });
  });
  return days;
}

/** The path of a page, with its host when that says something; the text itself when it is no address. */
export function pageOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return host ? `${host}${pathname}` : url;
  } catch {
    return url;
  }
}
