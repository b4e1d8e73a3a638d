/** The days and the comparison that one moves on with: the links of the frame say them, where the next page understands them. */

/** What a page reads from its address: `days` alone, or what they are compared with, too. */
export type Carries = "days" | "comparison";

/** Parts of an address, as they stand there. */
export interface CarriedDays {
  projectId: string;
  days: string;
  comparison: string;
}

const DAYS = ["range", "from", "to"];
const COMPARISON = ["compare", "cfrom", "cto"];

/**
 * Pages of a project by the part of their path after it. `/funnels/new` and `/funnels/f1/edit` ask nothing; the days of
 * data quality are those on which events came in, and mean nothing elsewhere.
 */
const READERS: readonly { path: RegExp; carries: Carries }[] = [
  { path: /^(overview|trends|sessions|funnels\/(?!new$)[^/]+)$/, carries: "comparison" },
  { path: /^(retention|paths|events|anomalies|person)$/, carries: "days" },
];

const partOf = (search: URLSearchParams, names: readonly string[]): string => {
  const part = new URLSearchParams();
  for (const name of names) {
    const value = search.get(name);
    if (value) part.set(name, value);
  }
  return part.toString();
};

/** What the page at this address shows. A page that knows no days, such as the settings, leaves what was `before`. */
export function carriedFrom(pathname: string, search: URLSearchParams, projectId: string, before: CarriedDays | null): CarriedDays {
  const kept = before?.projectId === projectId ? before : { projectId, days: "", comparison: "" };
  const page = pathname.split("/").slice(3).join("/");
  const carries = READERS.find((one) => one.path.test(page))?.carries;
  const days = partOf(search, DAYS);
  // A board has days of its own: only those that its address says were chosen by the reader.
  const isChosen = carries !== undefined || (page.startsWith("boards/") && days !== "");
  return { projectId, days: isChosen ? days : kept.days, comparison: carries === "comparison" ? partOf(search, COMPARISON) : kept.comparison };
}

export const isSameDays = (one: CarriedDays, two: CarriedDays | null): boolean =>
  one.projectId === two?.projectId && one.days === two.days && one.comparison === two.comparison;

export function withCarried(to: string, carries: Carries | undefined, carried: CarriedDays | null): string {
  if (!carries || !carried) return to;
  const said = [carried.days, carries === "comparison" ? carried.comparison : ""].filter((part) => part !== "").join("&");
  return said === "" ? to : `${to}?${said}`;
}
