import { expect, test } from "vitest";
import { carriedFrom, withCarried, type CarriedDays } from "./carried-days";
import { placesOf } from "./navigation";

/** Walks from page to page of a project and ends with the link to a place. */
const walk = (pages: readonly string[], label: string): string => {
  const carried = pages.reduce<CarriedDays | null>((before, page) => {
    const url = new URL(page, "http://x/p/p1/");
    return carriedFrom(url.pathname, url.searchParams, url.pathname.split("/")[2] ?? "", before);
  }, null);
  const place = placesOf(carried?.projectId ?? "", carried).flatMap((group) => group.places).find((one) => one.label === label);
  return place?.to ?? "";
};

test.each([
  [["overview?range=7d&compare=year"], "Trends", "/p/p1/trends?range=7d&compare=year"],
  [["overview?range=7d&compare=year&filters=x"], "Retention", "/p/p1/retention?range=7d"],
  [["overview"], "Trends", "/p/p1/trends"],
  [["overview?range=7d"], "Settings", "/p/p1/settings"],
  // What the address says last counts, its silence, too; pages without days leave what was.
  [["overview?range=7d", "settings", "funnels", "funnels/new"], "Events", "/p/p1/events?range=7d"],
  [["overview?range=7d", "trends"], "Events", "/p/p1/events"],
  [["trends?compare=year", "retention?range=90d"], "Sessions", "/p/p1/sessions?range=90d&compare=year"],
  [["trends?range=7d", "boards/b1"], "Trends", "/p/p1/trends?range=7d"],
  [["trends?range=7d", "boards/b1?range=30d"], "Trends", "/p/p1/trends?range=30d"],
  [["trends?range=7d"], "Data quality", "/p/p1/quality"],
  [["trends?range=7d", "quality?range=30d"], "Trends", "/p/p1/trends?range=7d"],
  [["trends?range=7d", "/p/p2/settings"], "Trends", "/p/p2/trends"],
])("after %j the link to %s is %s", (pages, label, to) => expect(walk(pages, label)).toBe(to));

test("a page that reads no days gets none", () => {
  expect(withCarried("/x", undefined, { projectId: "p1", days: "range=7d", comparison: "" })).toBe("/x");
});
