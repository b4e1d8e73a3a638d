/** What a link to a funnel shows beside the counts: the times always, the comparison as the page has it. */
import { comparedDays, type CompareChoice, type RangeChoice } from "@/features/report/range-state";
import type { DayRange } from "@/lib/dates";

export interface SharedQuestion extends Record<string, unknown> {
  include: ("times" | "compare")[];
  compare_start?: string;
  compare_end?: string;
}

/** Days that move on with time have the period before them compared, which moves with them; a year before cannot be said of them. */
export function sharedQuestion(compare: CompareChoice, choice: RangeChoice, range: DayRange | null): SharedQuestion {
  const compared = comparedDays(compare, range, choice.preset);
  if (compared === null || range === null) return { include: ["times"] };
  if (compare.with === "previous") return { include: ["times", "compare"] };
  if (compare.with === "year" && choice.preset !== "custom") return { include: ["times"] };
  return { include: ["times", "compare"], compare_start: compared.start, compare_end: compared.end };
}
