/** Buckets of time as places of a chart, and the interval that suits a range. */
import { addDays, daysIn, type DayRange } from "@/lib/dates";
import { day, dayRange, month, shortDay, wallTime } from "@/lib/format";
import { t } from "@/lib/strings";
import type { Place } from "@/ui/chart/series";

export const INTERVALS = ["hour", "day", "week", "month"] as const;
export type Interval = (typeof INTERVALS)[number];

export const isInterval = (text: unknown): text is Interval => (INTERVALS as readonly unknown[]).includes(text);

/** So fine that a trend shows, so coarse that its points can be told apart. Null is all data, of unknown length. */
export function intervalFor(range: DayRange | null): Interval {
  if (range === null) return "month";
  const days = daysIn(range);
  if (days <= 2) return "hour";
  if (days <= 92) return "day";
  return days <= 400 ? "week" : "month";
}

/** `date` is the first local day of a bucket, or a local hour with its offset. */
export function placeOf(date: string, interval: Interval, isIncomplete = false): Place {
  const first = date.slice(0, 10);
  const incomplete = isIncomplete && { isIncomplete };
  if (interval === "hour") {
    const hour = date.slice(11, 16);
    const said = wallTime(hour);
    return { label: hour === "00:00" ? shortDay(first) : said, title: `${day(first)}, ${said}`, ...incomplete };
  }
  if (interval === "month") return { label: month(first, "short"), title: month(first, "long"), ...incomplete };
  if (interval === "week") return { label: shortDay(first), title: t.report.week(dayRange({ start: first, end: addDays(first, 6) })), ...incomplete };
  return { label: shortDay(first), title: day(first), ...incomplete };
}
