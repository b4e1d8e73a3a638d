/** What the overview makes of its answers: the rows of its lists. */
import { groupName } from "@/features/report/group-name";
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

const regionNames = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** A country by its code; what is no code stays as it came. */
export function countryName(code: string): string {
  return (/^[A-Z]{2}$/.test(code) && regionNames.of(code)) || code;
}

/** The flag of a country's two letters; none for anything else. */
export function flagOf(code: string): string | null {
  if (!/^[A-Z]{2}$/.test(code)) return null;
  return String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65));
}

function nameOf(list: ListName, value: string): string {
  if (list === "country") return countryName(value);
  if (list === "channel" && Object.hasOwn(words.channels, value)) return words.channels[value as keyof typeof words.channels];
  return value;
}

/** The groups as rows; the key of a row is its value, so that a click knows what to filter by. */
export function groupRows(list: ListName, groups: readonly SessionGroup[], sessions: number): BarRow[] {
  return groups
    .filter((group) => group.sessions > 0)
    .map((group) => ({
      key: `${group.group} ${group.value ?? ""}`,
      name: group.group === "value" && group.value ? nameOf(list, group.value) : groupName(group),
      value: group.sessions,
      text: compactCount(group.sessions),
      detail: percent(sessions === 0 ? 0 : (100 * group.sessions) / sessions),
      ...(group.group !== "value" && { isOurs: true }),
    }));
}
