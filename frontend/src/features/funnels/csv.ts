/** The stages as CSV (RFC 4180), with exact figures. */
import type { ComparedPeriod } from "@/api/types";
import type { StageRow } from "./funnel-math";
import { w } from "./words";

function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  // A spreadsheet would run a name that starts like a formula, also after white space and in full width.
  const safe = typeof value === "string" && /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠])/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function stagesCsv(rows: readonly StageRow[], before: ComparedPeriod | null): string {
  const words = w.csv;
  const head = [words.order, words.stage, words.people, words.peopleMax, words.ofEntered, words.dropOff, ...(before ? [words.peopleBefore, words.ofEnteredBefore] : [])];
  const lines = rows.map((row) => {
    const then = before?.stages[row.order - 1];
    return [
      row.order,
      row.stage_name,
      row.users,
      row.users + row.open,
      row.conversion_rate,
      row.drop_off_rate,
      ...(before ? [then?.users ?? null, then?.conversion_rate ?? null] : []),
    ];
  });
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}
