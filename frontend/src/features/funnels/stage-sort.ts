/** The order of the table of stages, as the address keeps it: `?sort=people`, `?sort=people.up`. */
import { rateChange, stepChange } from "./compare-math";
import type { StageRow } from "./funnel-math";

const STAGE_SORTS = ["people", "ofEntered", "ofPrevious", "dropOff", "lost", "waiting", "median", "before", "change", "stepChange"] as const;
export type StageColumn = (typeof STAGE_SORTS)[number];

export interface StageSort {
  column: StageColumn;
  isDescending: boolean;
}

/** Null: as the stages follow one another. */
export function readStageSort(search: URLSearchParams): StageSort | null {
  const [name, way] = (search.get("sort") ?? "").split(".");
  const column = STAGE_SORTS.find((one) => one === name);
  return column ? { column, isDescending: way !== "up" } : null;
}

export const writeStageSort = (sort: StageSort | null): string | null => sort && `${sort.column}${sort.isDescending ? "" : ".up"}`;

/** What a click on a column leads to: most first, least first, then the stages' own order again. */
export function nextStageSort(sort: StageSort | null, column: StageColumn): StageSort | null {
  if (sort?.column !== column) return { column, isDescending: true };
  return sort.isDescending ? { column, isDescending: false } : null;
}

/** What of a stage does not stand in its row: its median time, and the stages of the days compared with. */
interface Beside {
  medianOf: (order: number) => number | null;
  before: readonly { users: number }[];
}

/** The rows in order; stages without the number, as the first one has nothing lost, come last either way. */
export function sortedStages(rows: readonly StageRow[], sort: StageSort | null, { medianOf, before }: Beside): StageRow[] {
  if (!sort) return [...rows];
  const figure = (row: StageRow): number | null => {
    const first = row.order === 1;
    switch (sort.column) {
      case "people":
        return row.users;
      case "ofEntered":
        return row.conversion_rate;
      case "ofPrevious":
        return first ? null : row.fromPrevious;
      case "dropOff":
        return first ? null : row.drop_off_rate;
      case "lost":
        return first ? null : row.left;
      case "waiting":
        return first ? null : row.waiting;
      case "median":
        return medianOf(row.order);
      case "before":
        return before[row.order - 1]?.users ?? null;
      case "change":
        return rateChange(rows, before, row.order);
      case "stepChange":
        return stepChange(rows, before, row.order);
    }
  };
  const way = sort.isDescending ? -1 : 1;
  return [...rows].sort((one, two) => {
    const [first, second] = [figure(one), figure(two)];
    if (first === null || second === null) return Number(first === null) - Number(second === null) || one.order - two.order;
    return way * (first - second) || one.order - two.order;
  });
}
