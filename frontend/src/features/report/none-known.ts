import { t } from "@/lib/strings";

/** Where no visit at all has a value: what would bring one. Null for lists that fill themselves. */
export function noneKnown(list: string, groups: readonly { group: string }[]): string | null {
  if (groups.length === 0 || groups.some((one) => one.group !== "none")) return null;
  if (["country", "region", "city"].includes(list)) return t.report.noPlaces;
  return list.startsWith("utm_") ? t.report.noCampaigns(list) : null;
}
