/** A report as it is asked and drawn now, as a saved view keeps it. */
import type { ViewChoice, ViewKind, ViewRange } from "@/api/saved-types";
import type { RangeChoice } from "@/features/report/range-state";
import { rangeOfChoice, undated, withoutOwnPeriods } from "./ranges";

export interface Saveable {
  kind: ViewKind;
  /** A name to begin with. */
  title: string;
  /** As the report's route takes it; what only a request needs is left out here. */
  question: object;
  /** How it is drawn. Share links show it to strangers: nothing that was asked belongs into it. */
  view?: Record<string, unknown>;
  /** The days of the page. Presets move on with time. Without it the question keeps its dates. */
  choice?: RangeChoice;
  /** A comparison that moves with the days; one with days of its own keeps them. */
  hasOwnPeriod?: boolean;
}

const OF_REQUESTS = new Set(["project_id", "format", "limit_rows", "as_of"]);

export function viewChoice(saveable: Saveable, name: string): ViewChoice {
  const { kind, choice, hasOwnPeriod = false } = saveable;
  const entries = Object.entries(saveable.question).filter(([key, value]) => !OF_REQUESTS.has(key) && value !== undefined);
  const asked = readFilters(kind, Object.fromEntries(entries));
  const range: ViewRange | null = choice ? rangeOfChoice(choice) : null;
  const question = range ? undated(kind, asked) : asked;
  return { name, kind, title: null, question: range && !hasOwnPeriod ? withoutOwnPeriods(question) : question, range, view: saveable.view ?? {} };
}

/** The event log sends its filters as text; a view keeps them as they are. */
function readFilters(kind: ViewKind, question: Record<string, unknown>): Record<string, unknown> {
  if (kind !== "events" || typeof question.filters !== "string") return question;
  return { ...question, filters: JSON.parse(question.filters) as unknown };
}
