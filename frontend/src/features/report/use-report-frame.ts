/** What every report asks: days, comparison, conditions, bots; all of it lives in the address. */
import type { Condition } from "@/api/types";
import { todayIn, type Day, type DayRange } from "@/lib/dates";
import { useSearchParams } from "react-router";
import { readConditions, writeConditions } from "./conditions";
import { comparedDays, daysOf, isLive, readCompare, readRange, writeCompare, writeRange, type CompareChoice, type RangeChoice } from "./range-state";

/** The part of a question that is the same for all reports, as the service takes it. */
export interface FrameQuestion {
  project_id: string;
  start_date?: string;
  end_date?: string;
  filters: Condition[];
  exclude_bots: boolean;
  include: ("compare" | "receipt")[];
  compare_start?: string;
  compare_end?: string;
}

/** The question without the days compared with. */
export function alone(question: FrameQuestion): FrameQuestion {
  const { project_id, start_date, end_date, filters, exclude_bots } = question;
  return { project_id, ...(start_date && { start_date }), ...(end_date && { end_date }), filters, exclude_bots, include: [] };
}

export interface ReportFrame {
  projectId: string;
  timeZone: string;
  today: Day;
  choice: RangeChoice;
  compare: CompareChoice;
  /** Null: all data. */
  range: DayRange | null;
  /** Null: nothing is compared. */
  compared: DayRange | null;
  conditions: Condition[];
  excludesBots: boolean;
  /** The range reaches into today: answers are asked for again while the page is open. */
  isLive: boolean;
  question: FrameQuestion;
  search: URLSearchParams;
  /** Changes the address; the history keeps the state before. */
  go: (next: URLSearchParams) => void;
  setChoice: (choice: RangeChoice) => void;
  setCompare: (choice: CompareChoice) => void;
  setConditions: (conditions: Condition[]) => void;
  setExcludesBots: (excludes: boolean) => void;
  /** One parameter of the page's own; null takes it out of the address. */
  set: (name: string, value: string | null) => void;
}

interface Options {
  /** What is compared when the address does not say. */
  compare?: "none" | "previous";
}

/** Reads the frame of a report from the address. `timeZone` is the project's. */
export function useReportFrame(projectId: string, timeZone: string, { compare: unsaid = "none" }: Options = {}): ReportFrame {
  const [search, setSearch] = useSearchParams();
  const today = todayIn(timeZone, new Date());
  const choice = readRange(search);
  const range = daysOf(choice, today);
  const compare = readCompare(search, unsaid);
  const compared = comparedDays(compare, range, choice.preset);
  const conditions = readConditions(search);
  const excludesBots = search.get("bots") === "no";
  const go = (next: URLSearchParams): void => setSearch(next, { preventScrollReset: true });
  const set = (name: string, value: string | null): void => {
    const next = new URLSearchParams(search);
    if (value === null) next.delete(name);
    else next.set(name, value);
    go(next);
  };
  return {
    projectId,
    timeZone,
    today,
    choice,
    compare,
    range,
    compared,
    conditions,
    excludesBots,
    isLive: isLive(range, today),
    question: {
      project_id: projectId,
      ...(range && { start_date: range.start, end_date: range.end }),
      filters: conditions,
      exclude_bots: excludesBots,
      include: compared ? ["compare"] : [],
      ...(compared && { compare_start: compared.start, compare_end: compared.end }),
    },
    search,
    go,
    setChoice: (next) => go(writeRange(search, next)),
    setCompare: (next) => go(writeCompare(search, next, unsaid)),
    setConditions: (next) => go(writeConditions(search, next)),
    setExcludesBots: (excludes) => set("bots", excludes ? "no" : null),
    set,
  };
}
