/** The series of a trends answer as a chart draws them: each group of each series is one line. */
import type { Answers } from "@/api/saved-types";
import { measureText, type Measure } from "@/features/trends/trend-state";
import { words as trendWords } from "@/features/trends/words";
import { t } from "@/lib/strings";
import type { Series } from "@/ui/chart/series";
import { words } from "../words";

type Trends = Answers["trends"];
type Line = Trends["series"][number] | Trends["formulas"][number];

const LINES_MAX = 8;

const groupName = (group: { group: string; group_value: string | null }): string =>
  group.group === "other" ? t.report.other : group.group === "none" ? t.report.none : (group.group_value ?? t.report.none);

/** A count is nothing without what is counted; only events of any name need no more than their own word. */
export function measuredName(name: string, measure: Measure, property: string | null = null): string {
  if (name === "*" && measure === "events") return words.kinds.events;
  return `${name === "*" ? trendWords.anyEvent : name} · ${measureText({ measure, property: property ?? "" })}`;
}

/** A name that somebody gave says what is counted, as on the page of trends. */
const lineName = (line: Line): string => ("measure" in line && line.name === line.event_type ? measuredName(line.name, line.measure, line.property) : line.name);

/** Formulas are what their series are for: where there are some, they are drawn alone. */
export function trendSeries(answer: Trends): Series[] {
  const lines: Line[] = answer.formulas.length > 0 ? answer.formulas : answer.series;
  const values = (buckets: readonly { value: number | null }[]): (number | null)[] => buckets.map((one) => one.value);
  return lines
    .flatMap((line, at) => {
      const name = lineName(line);
      if (!line.groups || line.groups.length === 0) return [{ key: `${at}`, name, values: values(line.buckets) }];
      return line.groups.map((group, index) => ({
        key: `${at} ${index}`,
        name: lines.length > 1 ? `${name}: ${groupName(group)}` : groupName(group),
        values: values(group.buckets),
      }));
    })
    .slice(0, LINES_MAX)
    .map((one, color) => ({ ...one, color }));
}

/** The one number of a trend that has one line, and what it counts; null of several. */
export function trendTotal(answer: Trends): { value: number; label: string } | null {
  const lines: Line[] = answer.formulas.length > 0 ? answer.formulas : answer.series;
  const only = lines.length === 1 ? lines[0] : undefined;
  return only && only.total.value !== null ? { value: only.total.value, label: lineName(only) } : null;
}
