/** What nobody has to look for: a day unlike the others, and rules that watch for the next one. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand } from "./page-checks";
import { WAIT_MS } from "./person";
import { leave, openShop, type Shop } from "./shop";

const HOSTILE = `<img src=x onerror="document.title='stolen'">`;
const DAY_MS = 86_400_000;
/** A name that no resolver knows. */
const HOOK = "https://hooks.example.invalid/iafa";
const BATCH = 500;
/** As many days as a verdict looks back at, and then those that are judged. */
const DAYS = 44;
const BROKEN = 3;
const SILENT = 12;

const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const startOf = (daysAgo: number): Date => new Date(midnight - daysAgo * DAY_MS);
const longDay = (daysAgo: number): string => startOf(daysAgo).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });

/** A few more on some days than on others; on one day the payments break, and one day is missing. */
function shopDay(daysAgo: number): object[] {
  if (daysAgo === SILENT) return [];
  const isBroken = daysAgo === BROKEN;
  const amounts = { page_view: 24 + (daysAgo % 3), purchase: isBroken ? 2 : 18 + (daysAgo % 4), [HOSTILE]: isBroken ? 24 : 3 + (daysAgo % 2) };
  return Object.entries(amounts).flatMap(([event_type, amount]) =>
    Array.from({ length: amount }, (_none, n) => ({ event_type, user_id: `p${n}`, timestamp: new Date(startOf(daysAgo).getTime() + 9 * 3_600_000 + n * 60_000).toISOString() })),
  );
}

interface Stored {
  alerts: { name: string; status: string }[];
}

describe.skipIf(!chromiumPath)(`watching${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;
  let rules: string;

  beforeAll(async () => {
    shop = await openShop("Watched");
    const events = Array.from({ length: DAYS }, (_none, index) => shopDay(index + 1)).flat();
    for (let from = 0; from < events.length; from += BATCH) await shop.send(events.slice(from, from + BATCH));
    await shop.ask("POST", "/funnels", { project_id: shop.projectId, name: "Checkout", stages: [{ name: "Look", event: "page_view" }, { name: "Buy", event: "purchase" }] });
    rules = `/projects/${shop.projectId}/alerts`;
  });
  afterAll(() => shop?.close());

  const unusual = (page: Page) => page.locator("section").filter({ has: page.getByRole("heading", { name: "Unusual days" }) }).locator("li");
  const cardOf = (page: Page, name: string) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });

  test("the broken day is told in words, with what was to be expected, and leads to its events", async () => {
    const person = await shop.enter("anomalies?range=30d");
    const { page } = person;
    const found = unusual(page);
    await found.first().waitFor();
    const day = longDay(BROKEN);
    const told = await found.allTextContents();
    expect(told.find((text) => text.includes(`"purchase" fell to 2 on ${day}; `))).toMatch(/ were expected for a \w+day/);
    expect(told.find((text) => text.includes(`"${HOSTILE}" rose to 24 on ${day}; `))).toMatch(/ expected for a \w+day/);
    expect(told.at(-1)).toContain(`No data arrived on ${longDay(SILENT)}`);
    expect(told).toHaveLength(3);
    await page.getByRole("group", { name: /^purchase, counted and expected/ }).waitFor();
    await page.getByRole("radio", { name: "People" }).click();
    await page.waitForURL(/measure=people/);
    await found.filter({ hasText: `People with "purchase" fell to 2 on ${day}` }).waitFor();
    await found.filter({ hasText: "purchase" }).getByRole("link", { name: "See the events of this day" }).click();
    await page.waitForURL(/\/events\?from=.*&event=purchase/);
    await expect.poll(() => page.locator("[data-index]").count(), { timeout: WAIT_MS }).toBe(2);
    expect(await page.title()).not.toContain("stolen");
    await leave(person);
  });

  test("from the unusual day a rule is made: refused to a private address, its key shown once, changed, deleted, taken back", async () => {
    const person = await shop.enter("anomalies");
    const { page } = person;
    await page.getByRole("link", { name: "Make an alert" }).click();
    const form = page.getByRole("dialog", { name: "New alert" });
    await form.getByRole("radio", { name: /^Something unusual/ }).waitFor();
    expect(await form.getByRole("radio", { name: /^Something unusual/ }).isChecked()).toBe(true);
    await form.getByLabel("Name").fill(HOSTILE);
    await form.getByRole("combobox", { name: "Event" }).fill("purchase");
    await form.getByLabel("Direction").selectOption("down");
    await form.getByLabel("Webhook address").fill("http://169.254.169.254/latest");
    await form.getByRole("button", { name: "Save alert" }).click();
    await form.getByText("is not of the public Internet").waitFor();
    expect((await shop.ask<Stored>("GET", rules)).alerts).toEqual([]);
    await form.getByLabel("Webhook address").fill(HOOK);
    await form.getByRole("button", { name: "Save alert" }).click();

    const shown = page.getByRole("dialog", { name: /key/ });
    const secret = (await shown.locator("code").textContent()) ?? "";
    expect(secret.length).toBeGreaterThan(40);
    await shown.getByRole("button", { name: "I have stored it" }).click();
    const row = cardOf(page, HOSTILE);
    await row.getByText("An unusually low day of purchase").waitFor();
    await page.reload();
    await row.waitFor();
    expect(await page.content()).not.toContain(secret);

    await row.getByRole("button", { name: `Actions for ${HOSTILE}` }).click();
    await page.getByRole("menuitem", { name: "Edit" }).click();
    const edited = page.getByRole("dialog", { name: `Edit ${HOSTILE}` });
    await edited.getByLabel("Name").fill("Purchases broke");
    await edited.getByRole("button", { name: "Save alert" }).click();
    await edited.waitFor({ state: "hidden" });
    await cardOf(page, "Purchases broke").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);

    const removal = async (): Promise<void> => {
      await page.getByRole("button", { name: "Actions for Purchases broke" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await cardOf(page, "Purchases broke").waitFor({ state: "hidden" });
    };
    await removal();
    await page.getByRole("button", { name: "Undo" }).click();
    await cardOf(page, "Purchases broke").waitFor();
    await removal();
    const gone = page.waitForResponse((answer) => answer.request().method() === "DELETE" && answer.ok());
    // Leaving the page means it.
    await page.getByRole("link", { name: "Anomalies" }).first().click();
    await gone;
    expect((await shop.ask<Stored>("GET", rules)).alerts).toEqual([]);
    // That the address was refused is the service's answer.
    person.complaints.splice(0, person.complaints.length, ...person.complaints.filter((one) => !one.includes("status of 422")));
    await leave(person);
  });

  test("anomalies and alerts stand up in every state: no fault, no sideways scrolling", async () => {
    const [funnel] = (await shop.ask<{ funnels: { id: string }[] }>("GET", `/funnels?project_id=${shop.projectId}`)).funnels;
    const person = await shop.enter();
    const { page } = person;
    const open = async (address: string): Promise<void> => {
      await page.goto(`${shop.base}/${address}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
    };
    await open("alerts");
    await page.getByRole("heading", { name: "Hear about it before your users tell you" }).waitFor();
    await expectToStand(page, "watch-alerts-empty");
    const choices = [
      { name: "Refunds stopped", rule: { kind: "silence", event: "refund" } },
      { name: "Many page views", rule: { kind: "threshold", event: "page_view", measure: "people", comparison: "above", value: 1_500 } },
      { name: HOSTILE, rule: { kind: "conversion", funnel_id: funnel?.id, below: 12.5 } },
      { name: "Anything unusual", rule: { kind: "anomaly" }, is_paused: true },
    ];
    for (const choice of choices) await shop.ask("POST", rules, { webhook_url: HOOK, ...choice });
    // While the rules are looked at for the first time.
    await open("anomalies?range=30d");
    await unusual(page).first().waitFor();
    await expectToStand(page, "watch-anomalies");
    for (const kind of ["threshold", "silence", "conversion", "anomaly"]) {
      await open(`alerts?new=${kind}`);
      await page.getByRole("dialog", { name: "New alert" }).getByLabel("Webhook address").waitFor();
      await expectToStand(page, `watch-alert-${kind}`);
    }
    const looked = async (): Promise<string[]> => (await shop.ask<Stored>("GET", rules)).alerts.map((one) => one.status);
    await expect.poll(looked, { timeout: WAIT_MS }).toEqual(["firing", "ok", "ok", "unknown"]);
    await open("alerts");
    await cardOf(page, "Refunds stopped").getByText("Firing").waitFor();
    expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual(["Refunds stopped", HOSTILE, "Many page views", "Anything unusual"]);
    await expectToStand(page, "watch-alerts");
    expect(await page.title()).not.toContain("stolen");
    await leave(person);
  });
});
