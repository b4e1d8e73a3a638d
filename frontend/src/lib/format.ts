/** Every number, date and country a person reads is written here. Rates arrive as percent, times as seconds or ISO text. */
import { isDay, knownZone, type DayRange } from "./dates";

/** Numbers and dates as the reader's own locale writes them; words stay English. Without a browser as in Britain. */
const LOCALE = knownLocale(globalThis.navigator?.language);
const grouped = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
// British English would write 1.2m, which reads as metres.
const short = new Intl.NumberFormat(LOCALE.startsWith("en") ? "en" : LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const oneDecimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const threeDecimals = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const fourDecimals = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const twoDecimals = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function knownLocale(locale: string | undefined): string {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale ?? "en-GB")[0] ?? "en-GB";
  } catch {
    return "en-GB";
  }
}

export function count(value: number): string {
  return grouped.format(value);
}

/** 12,345 stays; 1,234,567 becomes 1.2M. The exact figure belongs in a title. The greatest of an axis decides for all of it. */
export function compactCount(value: number, greatest = value): string {
  return Math.abs(greatest) < 100_000 ? grouped.format(value) : short.format(value);
}

/** One decimal; a rate that is not quite nothing or not quite everything never reads as 0 or 100. */
export function percent(rate: number): string {
  if (rate === 0 || rate === 100) return `${rate}%`;
  if (rate > 0 && rate < 0.05) return "<0.1%";
  if (rate > 99.95 && rate < 100) return ">99.9%";
  return `${oneDecimal.format(rate)}%`;
}

export function exactPercent(rate: number): string {
  return `${twoDecimals.format(rate)}%`;
}

/** Difference of two rates in percentage points, with its sign. */
export function points(difference: number): string {
  const rounded = Math.round(difference * 10) / 10;
  if (rounded === 0) return "±0 pt";
  return `${rounded > 0 ? "+" : "−"}${oneDecimal.format(Math.abs(rounded))} pt`;
}

/** Relative change of a count in percent, with its sign. */
export function change(ratio: number): string {
  const rounded = Math.round(ratio * 1000) / 10;
  if (rounded === 0) return "±0%";
  return `${rounded > 0 ? "+" : "−"}${oneDecimal.format(Math.abs(rounded))}%`;
}

/** How many times as much: "3.4", and "1,204" where decimals say nothing. */
export function factor(value: number): string {
  return value >= 100 ? count(Math.round(value)) : oneDecimal.format(value);
}

/** Of a test: "p = 0.012"; with one digit more where three would hide on which side of 5% it is. */
export function probability(p: number): string {
  if (p !== 0.05 && p >= 0.0495 && p < 0.0505) return `p = ${fourDecimals.format(p)}`;
  return p < 0.001 ? `p < ${threeDecimals.format(0.001)}` : `p = ${threeDecimals.format(p)}`;
}

const UNITS = [
  { name: "day", seconds: 86_400 },
  { name: "hour", seconds: 3_600 },
  { name: "minute", seconds: 60 },
  { name: "second", seconds: 1 },
] as const;

/** A window in words, in the largest unit that keeps it whole: "7 days", "90 minutes". */
export function span(seconds: number): string {
  const unit = UNITS.find((one) => seconds >= one.seconds && seconds % one.seconds === 0) ?? UNITS[3];
  const amount = seconds / unit.seconds;
  return `${count(amount)} ${unit.name}${amount === 1 ? "" : "s"}`;
}

/** How long an answer took: "84 ms", "1.2 s". */
export function milliseconds(ms: number): string {
  return ms < 1_000 ? `${count(Math.max(1, Math.round(ms)))} ms` : `${oneDecimal.format(ms / 1_000)} s`;
}

/** "3.4 MB", in steps of 1,000 as disks are sold. */
export function bytes(amount: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = amount;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? count(Math.round(value)) : oneDecimal.format(value)} ${units[unit]}`;
}

/** How long something took in the two largest units that say something: "1 d 4 h", "12 min", "40 s". */
export function duration(seconds: number): string {
  if (seconds < 1) return `${count(Math.round(seconds * 1_000))} ms`;
  const parts: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  let left = Math.round(seconds);
  const said: string[] = [];
  for (const [size, unit] of parts) {
    const amount = Math.floor(left / size);
    if (amount > 0) said.push(`${count(amount)} ${unit}`);
    else if (said.length > 0) break;
    left -= amount * size;
    if (said.length === 2) break;
  }
  return said.join(" ") || "0 s";
}

const dayParts = { day: "numeric", month: "short", year: "numeric" } as const;
const minuteParts = { hour: "2-digit", minute: "2-digit" } as const;
const secondParts = { ...minuteParts, second: "2-digit" } as const;
const shortDayParts = { day: "numeric", month: "short" } as const;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats are dear to make, and tables and axes write many dates. */
function dateFormat(parts: Intl.DateTimeFormatOptions, timeZone = "UTC"): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, parts]);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(LOCALE, { ...parts, timeZone: knownZone(timeZone) });
  formats.set(key, format);
  return format;
}

const calendar = (text: string, parts: Intl.DateTimeFormatOptions): string =>
  isDay(text) ? dateFormat(parts).format(new Date(`${text}T00:00:00Z`)) : text;

function instant(iso: string, write: (time: Date) => string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : write(time);
}

/** "12 Nov 2026" for a calendar day. */
export const day = (text: string): string => calendar(text, dayParts);

/** "12 Nov", for an axis. */
export const shortDay = (text: string): string => calendar(text, shortDayParts);

/** "Nov 2026" or "November 2026" for any day of it. */
export const month = (text: string, style: "short" | "long"): string => calendar(text, { month: style, year: "numeric" });

/** "14:00" of a wall clock as the locale writes it. */
export const wallTime = (text: string): string => instant(`1970-01-01T${text}Z`, (time) => dateFormat(minuteParts).format(time));

/** "1 – 30 Nov 2026", "28 Oct – 3 Nov 2026". */
export function dayRange(range: DayRange): string {
  if (!isDay(range.start) || !isDay(range.end)) return `${range.start} – ${range.end}`;
  if (range.start === range.end) return day(range.start);
  return dateFormat(dayParts)
    .formatRange(new Date(`${range.start}T00:00:00Z`), new Date(`${range.end}T00:00:00Z`))
    .replace(/\s*[–-]\s*/, " – ");
}

/** "12 Nov 2026, 14:02" in the project's zone. */
export const moment = (iso: string, timeZone: string): string =>
  instant(iso, (time) => `${dateFormat(dayParts, timeZone).format(time)}, ${dateFormat(minuteParts, timeZone).format(time)}`);

/** "21 Nov, 14:02:07" in the project's zone, for tables; the year only when it is not this one. */
export function stamp(iso: string, timeZone: string, now = new Date()): string {
  return instant(iso, (time) => {
    const hasYear = time.getUTCFullYear() !== now.getUTCFullYear();
    const date = dateFormat(hasYear ? dayParts : shortDayParts, timeZone).format(time);
    return `${date}, ${dateFormat(secondParts, timeZone).format(time)}`;
  });
}

/** "14:02:07" in the project's zone. */
export const clock = (iso: string, timeZone: string): string => instant(iso, (time) => dateFormat(secondParts, timeZone).format(time));

/** "14:02" in the project's zone. */
export const minute = (iso: string, timeZone: string): string => instant(iso, (time) => dateFormat(minuteParts, timeZone).format(time));

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

/** "3 minutes ago"; under a minute "just now". */
export function ago(iso: string, now: Date): string {
  const seconds = (now.getTime() - Date.parse(iso)) / 1000;
  if (Number.isNaN(seconds)) return iso;
  if (seconds < 60) return "just now";
  if (seconds < 3_600) return RELATIVE.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return RELATIVE.format(-Math.floor(seconds / 3_600), "hour");
  return RELATIVE.format(-Math.floor(seconds / 86_400), "day");
}

/** Of a number that is written already: "1 event", "2 events". */
export const several = (amount: string, one: string): string => `${amount} ${one}${amount === "1" ? "" : "s"}`;

/** Of a number that is written already: "1 person", "2 people". */
export const persons = (amount: string): string => `${amount} ${amount === "1" ? "person" : "people"}`;

const regionNames = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** A country by its code; what is no code stays as it came. */
export function countryName(code: string): string {
  return (/^[A-Z]{2}$/.test(code) && regionNames.of(code)) || code;
}
