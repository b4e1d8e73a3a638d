/** Colours, words and curves of the heat map. */
import { count, percent } from "@/lib/format";
import { groupName } from "@/features/report/group-name";
import { placeOf } from "@/features/report/places";
import type { Place, Series } from "@/ui/chart/series";
import type { Average, Cell, Cohort, Matrix, RetentionAnswer, RetentionGroup } from "./queries";
import type { Interval } from "./retention-state";
import { words } from "./words";

/** Text stays readable on every shade: the accent is never mixed in further than this. */
const SHADE_MAX = 64;

/** So much accent in percent: nothing for nobody, all of it for the largest share that is shown. */
export function shadeOf(share: number, most: number): number {
  if (share <= 0 || most <= 0) return 0;
  return Math.round(6 + (SHADE_MAX - 6) * Math.min(1, share / most));
}

/** The largest share of all closed and open cells but those of the start's own period, which would drown the others. */
export function mostOf(matrix: Matrix): number {
  const shares = matrix.cohorts.flatMap((cohort) => cohort.cells.filter((cell) => cell.n > 0).map((cell) => cell.percent));
  return shares.reduce((most, share) => Math.max(most, share), 0);
}

export const cellText = (cell: Pick<Cell | Average, "people" | "percent">, show: "percent" | "count"): string => (show === "count" ? count(cell.people) : percent(cell.percent));

/** Of a period that has not begun there is nothing to say yet. */
export function hasBegun(cohort: Pick<Cohort, "from">, n: number, interval: Interval, asOf: string): boolean {
  const begin = new Date(cohort.from);
  if (interval === "month") begin.setUTCMonth(begin.getUTCMonth() + n);
  else begin.setUTCDate(begin.getUTCDate() + n * (interval === "week" ? 7 : 1));
  return begin.getTime() <= Date.parse(asOf);
}

interface Told {
  interval: Interval;
  back: string;
  isOnOrAfter: boolean;
}

const when = (n: number, { interval, isOnOrAfter }: Told): string => {
  const said = words.cell.in[interval](n);
  return isOnOrAfter ? words.cell.orLater(said) : said;
};

/** One cell in words: who, how many, when. */
export function cellWords(cohort: Cohort, cell: Cell, told: Told): { title: string; lines: string[] } {
  const lines = [`${words.cell.people(count(cell.people), count(cohort.size), percent(cell.percent))} ${words.cell.came(told.back, when(cell.n, told))}`];
  if (cell.is_open) lines.push(words.cell.open);
  return { title: words.cell.cohort(placeOf(cohort.bucket, told.interval).title), lines };
}

export function averageWords(average: Average, told: Told): { title: string; lines: string[] } {
  return {
    title: words.cell.average(words.cell.cohorts(count(average.cohorts), average.cohorts === 1)),
    lines: [`${words.cell.people(count(average.people), count(average.size), percent(average.percent))} ${words.cell.came(told.back, when(average.n, told))}`],
  };
}

export const groupKey = (group: RetentionGroup): string => `${group.group} ${group.value ?? ""}`;

/** The averages of everybody, or of each group, over the periods. */
export function curvesOf(answer: RetentionAnswer): Series[] {
  const points = (matrix: Matrix): (number | null)[] =>
    Array.from({ length: answer.periods + 1 }, (_none, n) => {
      const average = matrix.averages.find((one) => one.n === n);
      return average && average.size > 0 ? average.percent : null;
    });
  const groups = answer.breakdown?.groups;
  if (!groups) return [{ key: "all", name: words.allGroups, values: points(answer), color: 0 }];
  return groups.map((group, color) => ({ key: groupKey(group), name: groupName(group), values: points(group), color }));
}

export function periodPlaces(answer: RetentionAnswer): Place[] {
  return Array.from({ length: answer.periods + 1 }, (_none, n) => {
    const title = words.table.period[answer.interval](n);
    return { label: title, title };
  });
}
