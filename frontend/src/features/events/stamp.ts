/** Moments as tables show them. */
import { knownZone } from "@/lib/dates";

const formats = new Map<string, Intl.DateTimeFormat>();

/** "21 Nov, 14:02:07" in the project's zone; the year only when it is not this one. */
export function stamp(iso: string, timeZone: string, now = new Date()): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const hasYear = time.getUTCFullYear() !== now.getUTCFullYear();
  const key = `${timeZone} ${hasYear}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: knownZone(timeZone), ...(hasYear && { year: "numeric" }),
    });
    formats.set(key, format);
  }
  return format.format(time);
}
