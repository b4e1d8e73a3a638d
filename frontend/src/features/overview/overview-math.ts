/** What the overview makes of its answers: the rows of its lists. */
import { visitGroupName } from "@/features/report/visit-names";
import { compactCount, percent } from "@/lib/format";
import type { BarRow } from "@/ui/chart/bar-list";
import type { SessionGroup } from "./queries";
import { words } from "./words";

export type ListName = Exclude<keyof typeof words.tabs, "page">;

export const LISTS = {
  pages: ["page", "entry_page", "exit_page"],
  sources: ["channel", "referrer", "utm_source", "utm_medium", "utm_campaign"],
  places: ["country", "region", "city"],
  devices: ["browser", "os", "device"],
} as const satisfies Record<string, readonly (ListName | "page")[]>;
export type CardName = keyof typeof LISTS;

/** The groups as rows; the key of a row is its value, so that a click knows what to filter by. */
export function groupRows(list: ListName, groups: readonly SessionGroup[], sessions: number): BarRow[] {
  return groups
    .filter((group) => group.sessions > 0)
    .map((group) => ({
      key: `${group.group} ${group.value ?? ""}`,
      name: visitGroupName(list, group),
      value: group.sessions,
      text: compactCount(group.sessions),
      detail: percent(sessions === 0 ? 0 : (100 * group.sessions) / sessions),
      ...(group.group !== "value" && { isOurs: true }),
    }));
}
