/** How the groups of a breakdown are called, in every report. */
import { t } from "@/lib/strings";

export function groupName({ group, value }: { group: string; value?: string | null }): string {
  if (group === "other") return t.report.other;
  if (group === "none" || value === null || value === undefined) return t.report.none;
  return value === "" ? t.report.emptyText : value;
}
