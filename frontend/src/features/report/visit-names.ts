/** How the lists about visits call their groups: channels in words, countries by their names. */
import { countryName } from "@/lib/format";
import { t } from "@/lib/strings";
import { groupName } from "./group-name";

/** The flag of a country's two letters; none for anything else. */
export function flagOf(code: string): string | null {
  if (!/^[A-Z]{2}$/.test(code)) return null;
  return String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65));
}

export function visitGroupName(list: string, group: { group: string; value?: string | null }): string {
  const { value } = group;
  if (group.group !== "value" || !value) return groupName(group);
  if (list === "country") return countryName(value);
  return list === "channel" && Object.hasOwn(t.report.channels, value) ? t.report.channels[value as keyof typeof t.report.channels] : value;
}
