/** Rows of lists about visits, as conditions: what a click on one adds to the filters. */
import type { Condition } from "@/api/types";

/** The column that a list is made of, where it has another name. */
const COLUMNS: Readonly<Record<string, string>> = { entry_page: "page", exit_page: "page", referrer: "referrer_host" };

/** The condition for visits like those of a row; null where none can say it: visits without a value have events with one, too. */
export function visitCondition(list: string, group: string, value: string | null): Condition | null {
  return group === "value" && value !== null ? { property: `column:${COLUMNS[list] ?? list}`, op: "eq", value } : null;
}
