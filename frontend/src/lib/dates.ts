/** Calendar days as `YYYY-MM-DD` text; the project's time zone decides which day it is, never the browser's. */

export type Day = string;

export interface DayRange {
  start: Day;
  end: Day;
}

const DAY_MS = 86_400_000;

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The same day of another year; of 29 February the 28th where there is none. */
export function addYears(day: Day, years: number): Day {
  const year = String(Number(day.slice(0, 4)) + years).padStart(4, "0");
  const moved = `${year}${day.slice(4)}`;
  return isDay(moved) ? moved : `${year}-02-28`;
}

/** The Monday of the day's week. */
export function weekStart(day: Day): Day {
  return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

export const monthStart = (day: Day): Day => `${day.slice(0, 8)}01`;

/** The same day of the month before; its last one where it has no such day. */
export function monthBefore(day: Day): Day {
  const last = addDays(monthStart(day), -1);
  return last.slice(8) < day.slice(8) ? last : `${last.slice(0, 8)}${day.slice(8)}`;
}

/** Days in the range, both ends counted. */
export function daysIn(range: DayRange): number {
  return Math.round((Date.parse(range.end) - Date.parse(range.start)) / DAY_MS) + 1;
}

export function todayIn(timeZone: string, now: Date): Day {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: knownZone(timeZone),
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(now);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** The instant at which a day begins in a zone; where the clock jumps over midnight, the first one after it. */
export function dayBegins(day: Day, timeZone: string): string {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const zone = knownZone(timeZone);
  // The offset of the instant itself is not known before the instant is: on a day of a change the first guess may be an hour off.
  const begins = midnight - offsetMs(midnight - offsetMs(midnight, zone), zone);
  return new Date(begins).toISOString();
}

function offsetMs(instant: number, zone: string): number {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`) - instant;
}

/** The last `days` days, today included. */
export function lastDays(days: number, today: Day): DayRange {
  return { start: addDays(today, 1 - days), end: today };
}

/** The range of equal length that ends the day before `range` starts. */
export function previousRange(range: DayRange): DayRange {
  const end = addDays(range.start, -1);
  return { start: addDays(end, 1 - daysIn(range)), end };
}

function isKnownZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    return false;
  }
}

export function knownZone(timeZone: string): string {
  return isKnownZone(timeZone) ? timeZone : "UTC";
}

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function allZones(): string[] {
  const zones = Intl.supportedValuesOf("timeZone");
  return zones.includes("UTC") ? zones : ["UTC", ...zones];
}
