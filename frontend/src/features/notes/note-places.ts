/** Which place of a chart a note on a date belongs to. */
import type { SavedNote } from "@/api/saved-types";
import { addDays, todayIn, type Day, type DayRange } from "@/lib/dates";
import { day, dayRange, moment } from "@/lib/format";
import type { DateNote } from "@/ui/chart/series";

const DAY_MS = 86_400_000;
const isInstant = (text: string): boolean => text.length > 10;

/** The local day of a note's start. */
export const dayOfNote = (text: string, timeZone: string): Day => (isInstant(text) ? todayIn(timeZone, new Date(text)) : text.slice(0, 10));

export function whenText(note: Pick<SavedNote, "start" | "end">, timeZone: string): string {
  if (isInstant(note.start)) return moment(note.start, timeZone);
  return note.end && note.end !== note.start ? dayRange({ start: note.start, end: note.end }) : day(note.start);
}

/** The days that buckets cover; the last one is taken to be as long as the longest before it. Null without buckets. */
export function spanOf(dates: readonly string[]): DayRange | null {
  const days = dates.map((date) => date.slice(0, 10));
  const start = days[0];
  const last = days.at(-1);
  if (start === undefined || last === undefined) return null;
  const gaps = days.slice(1).map((one, at) => Math.round((Date.parse(one) - Date.parse(days[at] ?? one)) / DAY_MS));
  return { start, end: addDays(last, Math.max(1, ...gaps) - 1) };
}

/** `dates` are the starts of the buckets: local days, or local hours with their offset. Notes outside are left out. */
export function placeNotes(notes: readonly SavedNote[], dates: readonly string[], timeZone: string): DateNote[] {
  const span = spanOf(dates);
  if (!span) return [];
  const starts = dates.map((date) => (isInstant(date) ? Date.parse(date) : null));
  return notes.flatMap((note) => {
    const first = dayOfNote(note.start, timeZone);
    const last = note.end ? dayOfNote(note.end, timeZone) : first;
    if (last < span.start || first > span.end) return [];
    const instant = isInstant(note.start) ? Date.parse(note.start) : null;
    const isBegun = (date: string, at: number): boolean => {
      const start = starts[at];
      if (start !== null && start !== undefined && instant !== null) return start <= instant;
      // A day's note stands at the day's first hour.
      return date.slice(0, 10) < first || (date.slice(0, 10) === first && (start === null || dates.findIndex((one) => one.startsWith(first)) === at));
    };
    const at = dates.reduce((found, date, index) => (isBegun(date, index) ? index : found), 0);
    return [{ at, text: `${whenText(note, timeZone)}: ${note.text}` }];
  });
}
