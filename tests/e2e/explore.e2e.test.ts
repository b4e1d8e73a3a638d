/** The overview, trends, retention and paths over a small project whose every number is known. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand, seriousFaults } from "./page-checks";
import { photograph, type Person, WAIT_MS } from "./person";
import { leave, openShop, type Shop } from "./shop";

const HOSTILE = `<img src=x onerror="document.title='stolen'">`;
const DAYS = 12;
const DAY_MS = 86_400_000;
const SLOW = { timeout: 30_000 };
const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
];

const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const dayText = (daysAgo: number): string => new Date(midnight - daysAgo * DAY_MS).toISOString().slice(0, 10);
/** All seeded days are over; only today's one event is not. */
const RANGE = `from=${dayText(DAYS)}&to=${dayText(1)}`;

interface Seeded {
  person: string;
  daysAgo: number;
  returns: boolean;
  buys: boolean;
}

/** On each of twelve days 4 to 8 new people; every second one comes back on the next day, every third one buys. */
const CROWD: Seeded[] = Array.from({ length: DAYS }, (_none, index) => index + 1).flatMap((daysAgo) =>
  Array.from({ length: 4 + ((daysAgo * 3) % 5) }, (_none, n) => ({ person: `p${daysAgo}-${n}`, daysAgo, returns: n % 2 === 0, buys: n % 3 === 0 })),
);
const buyers = CROWD.filter((one) => one.buys).length;

function eventsOf(one: Seeded, n: number): object[] {
  const at = (minutes: number, daysAgo = one.daysAgo): string => new Date(midnight - daysAgo * DAY_MS + 9 * 3_600_000 + minutes * 60_000).toISOString();
  const same = { user_id: one.person, user_agent: AGENTS[n % 2] };
  const home = { ...same, event_type: "page_view", url: "https://shop.example/", ...(n % 2 === 0 && { referrer: "https://www.google.com/" }) };
  return [
    { ...home, timestamp: at(0) },
    { ...same, event_type: "page_view", url: "https://shop.example/pricing?plan=1", timestamp: at(1) },
    { ...same, event_type: "signup", timestamp: at(2), properties: { plan: n % 2 === 0 ? "pro" : HOSTILE } },
    ...(one.buys ? [{ ...same, event_type: "purchase", timestamp: at(5), properties: { total: 10 } }] : []),
    // Who comes back today may not have done so yet: nothing is sent for days that are not over.
    ...(one.returns && one.daysAgo > 1 ? [{ ...same, event_type: HOSTILE, timestamp: at(0, one.daysAgo - 1) }] : []),
  ];
}

describe.skipIf(!chromiumPath)(`explore${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop("Explored");
    const owner = await shop.enter("overview");
    await owner.page.getByRole("link", { name: "Get the tracking code" }).waitFor();
    await photograph(owner.page, "overview-empty");
    expect(await seriousFaults(owner.page)).toEqual([]);
    await owner.page.getByRole("link", { name: "Get the tracking code" }).click();
    await owner.page.waitForURL("**/setup");
    await shop.send(CROWD.flatMap(eventsOf));
    await shop.send([{ event_type: "page_view", user_id: "now", url: "https://shop.example/now" }]);
    await leave(owner);
  });
  afterAll(() => shop?.close());

  async function leaveUnharmed(person: Person): Promise<void> {
    expect(await person.page.locator("img").count()).toBe(0);
    expect(await person.page.title()).not.toContain("stolen");
    await leave(person);
  }

  const figure = (page: Page, name: string): Promise<string | null> => page.getByRole("region", { name, exact: true }).locator("p").first().textContent();

  test("the overview counts what was sent, and a click on a row asks for those sessions alone", async () => {
    const person = await shop.enter(`overview?${RANGE}`);
    const { page } = person;
    await page.getByRole("region", { name: "People", exact: true }).waitFor();
    expect(await figure(page, "People")).toBe(String(CROWD.length));
    expect(await figure(page, "Page views")).toBe(String(2 * CROWD.length));
    expect(await figure(page, "Visitors now")).toBe("1");
    const pages = page.getByRole("region", { name: "Pages", exact: true });
    await pages.getByRole("button", { name: "/pricing" }).waitFor();
    expect(await pages.getByRole("listitem").allTextContents()).toEqual(["/", "/pricing"].map((path) => `${path}${CROWD.length} people${CROWD.length}`));
    const sources = page.getByRole("region", { name: "Sources", exact: true });
    const searched = CROWD.filter((_one, n) => n % 2 === 0).length;
    await sources.getByRole("button", { name: "Search" }).click();
    await page.waitForURL(/filters=/);
    await page.getByText("channel is search").waitFor();
    await expect.poll(() => figure(page, "People"), SLOW).toBe(String(searched));
    await page.getByRole("button", { name: "Remove the filter on channel" }).click();
    await page.getByRole("tab", { name: "Exit pages" }).click();
    await pages.getByRole("button", { name: "/pricing" }).click();
    await page.getByText("page is /pricing").waitFor();
    await expect.poll(() => figure(page, "Sessions"), SLOW).toBe(String(CROWD.length));
    await leaveUnharmed(person);
  });

  test("trends: series, a formula and groups give the known totals, and the address holds the question", async () => {
    const person = await shop.enter(`trends?${RANGE}`);
    const { page } = person;
    await page.getByRole("button", { name: "Edit series A" }).click();
    await page.getByRole("combobox", { name: "Event or page" }).fill("signup");
    await page.getByRole("combobox", { name: "Measure" }).selectOption("people");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByRole("button", { name: "Add series" }).click();
    await page.getByRole("combobox", { name: "Event or page" }).fill("purchase");
    await page.getByRole("combobox", { name: "Measure" }).selectOption("sum");
    await page.getByRole("combobox", { name: "Number to calculate with" }).fill("total");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByRole("button", { name: "Add formula" }).click();
    await page.getByLabel("Formula", { exact: true }).fill("b / a");
    await page.getByRole("button", { name: "Apply" }).click();
    const totals = page.getByRole("region", { name: "Totals of the series" });
    const total = (name: string): Promise<string> => totals.getByRole("row").filter({ hasText: name }).locator("td").nth(1).innerText();
    await totals.getByRole("row").nth(3).waitFor();
    expect(await total("signup")).toContain(String(CROWD.length));
    expect(await total("purchase")).toContain(String(10 * buyers));
    expect(await total("B / A")).toContain(String(Math.round((1000 * buyers) / CROWD.length) / 100));
    const address = page.url();
    await page.goto(`${shop.base}/funnels`);
    await page.goto(address);
    await totals.getByRole("row").nth(3).waitFor();
    await page.getByRole("button", { name: "Break down by: nothing" }).click();
    await page.getByRole("combobox", { name: "Property" }).fill("plan");
    await page.getByRole("button", { name: "Apply" }).click();
    await totals.getByText(`${HOSTILE} · signup`).waitFor();
    const pro = CROWD.filter((_one, n) => n % 2 === 0).length;
    expect(await total("pro · signup")).toContain(String(pro));
    await photograph(page, "trends-groups");
    await leaveUnharmed(person);
  });

  test("retention: cells and their words say who came back", async () => {
    const person = await shop.enter(`retention?${RANGE}&start=signup&return=${encodeURIComponent(HOSTILE)}&periods=7`);
    const { page } = person;
    const oldest = CROWD.filter((one) => one.daysAgo === DAYS);
    const back = oldest.filter((one) => one.returns).length;
    const share = `${((100 * back) / oldest.length).toFixed(1)}%`;
    const grid = page.getByRole("grid", { name: "Retention by cohort" });
    const cells = grid.getByRole("row").nth(2).locator("[role=gridcell]");
    await cells.nth(1).waitFor();
    expect(await cells.nth(1).innerText()).toContain(share);
    expect(await cells.nth(1).textContent()).toContain(`${back} of ${oldest.length} people (${share}) came back with ${HOSTILE} 1 day later.`);
    // Yesterday's people may come back today: that cell is open.
    expect(await grid.getByRole("row").last().locator("[role=gridcell]").allTextContents()).toEqual([expect.not.stringContaining("not over"), expect.stringContaining("not over")]);
    await grid.locator("[role=gridcell]").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.firstElementChild?.textContent)).toBe(share);
    await page.getByRole("radio", { name: "People", exact: true }).click();
    await page.waitForURL(/show=count/);
    // The address changes a moment before the cells do.
    await expect.poll(() => cells.nth(1).locator("[aria-hidden]").textContent(), { timeout: WAIT_MS }).toBe(String(back));
    await leaveUnharmed(person);
  });

  test("paths: the diagram counts each way, a node leads on, the table says the same", async () => {
    const person = await shop.enter(`paths?${RANGE}&nodes=event&repeats=yes`);
    const { page } = person;
    const first = page.getByRole("button", { name: /^page_view ?, Step 1:/ });
    await first.waitFor();
    expect(await first.textContent()).toContain(`page_view, Step 1: ${CROWD.length} ·`);
    const bought = page.getByRole("button", { name: /^purchase ?, Step 4:/ });
    expect(await bought.textContent()).toContain(`: ${buyers} ·`);
    await page.getByRole("button", { name: /^signup ?, Step 3:/ }).click();
    await page.getByRole("menuitem", { name: "Start here" }).click();
    await page.waitForURL(/way=start&start=signup/);
    await page.getByRole("button", { name: /^signup ?, Step 1:/ }).waitFor();
    await page.getByText("Table", { exact: true }).click();
    const row = page.getByRole("region", { name: "Links between steps" }).getByRole("row").filter({ hasText: "purchase" }).first();
    await row.waitFor();
    expect(await row.locator("td").allTextContents()).toEqual(["Step 1", "signup", "purchase", String(buyers), `${((100 * buyers) / CROWD.length).toFixed(1)}%`]);
    await leaveUnharmed(person);
  });

  test("every page stands up: no fault, no sideways scrolling", async () => {
    const person = await shop.enter();
    const { page } = person;
    const q = encodeURIComponent(JSON.stringify({ s: [{ e: "page_view" }, { e: "signup", m: "people" }, { e: "purchase", m: "sum", p: "total" }], x: [{ x: "C / B", n: "Each" }] }));
    const bars = encodeURIComponent(JSON.stringify({ s: [{ e: "signup" }], b: ["plan", 5], k: "bar" }));
    const addresses = {
      overview: "overview",
      trends: `trends?range=7d&q=${q}&compare=previous`,
      "trends-bars": `trends?q=${bars}`,
      retention: `retention?start=signup&range=7d&periods=7`,
      curves: `retention?start=signup&by=plan&periods=7`,
      paths: "paths",
      "paths-back": "paths?way=end&end=purchase&repeats=yes",
      "paths-table": "paths?view=table",
    };
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(`${shop.base}/${address}`);
      await page.getByRole("contentinfo").or(page.locator("footer")).first().waitFor();
      await expectToStand(page, `explore-${name}`);
    }
    await leaveUnharmed(person);
  });
});
