/** What the dashboard does with wrong passwords, hostile names, keys instead of a mouse, dark rooms and small screens. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand, overhang } from "./page-checks";
import { newPerson, PASSWORD, photograph, stageTable } from "./person";
import { startSlowLine } from "./service";
import { drag, leave, openShop, type Shop } from "./shop";

const HOSTILE = {
  markup: `<img src=x onerror="document.title='stolen'">`,
  long: "x".repeat(200),
  rightToLeft: "שלום עולם",
  emoji: "🚀 launch 🎉",
};
/** Each of ten people does one event fewer than the one before, in order. */
function shrinkingCrowd(names: readonly string[]): object[] {
  const start = Date.now() - 3_600_000;
  return names.flatMap((name, step) =>
    Array.from({ length: 10 - 2 * step }, (_none, person) => ({
      event_type: name,
      user_id: `person-${person}`,
      timestamp: new Date(start + step * 60_000).toISOString(),
    })),
  );
}

describe.skipIf(!chromiumPath)(`dashboard${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;
  let funnel: string;

  const signIn = async (page: Page, password: string): Promise<void> => {
    await page.getByLabel("Email").fill(shop.email);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };

  beforeAll(async () => {
    shop = await openShop(HOSTILE.markup);
    await shop.send(shrinkingCrowd(Object.values(HOSTILE)));
    const owner = await shop.enter("funnels/new?from=seen");
    await owner.page.getByLabel("Name", { exact: true }).fill(HOSTILE.markup);
    await owner.page.getByRole("button", { name: "Create funnel" }).click();
    await owner.page.waitForURL(/funnels\/(?!new)[^/?]+$/);
    funnel = owner.page.url().slice(shop.base.length + 1);
    await leave(owner);
  });
  afterAll(() => shop?.close());

  test("a wrong password is told in words and loses nothing that was typed", async () => {
    const guest = await newPerson(shop.browser);
    await guest.page.goto(`${shop.service.url}/sign-in`);
    await signIn(guest.page, "not the password");
    await guest.page.getByRole("alert").getByText("Email or password is wrong.").waitFor();
    expect(await guest.page.getByLabel("Email").inputValue()).toBe(shop.email);
    await photograph(guest.page, "sign-in-refused");
    await leave(guest);
  });

  test("a link opened signed out leads to its page after signing in", async () => {
    const guest = await newPerson(shop.browser);
    await guest.page.goto(`${shop.base}/${funnel}?range=7d&stage=2`);
    await guest.page.waitForURL("**/sign-in?next=*");
    await signIn(guest.page, PASSWORD);
    await guest.page.waitForURL(`${shop.base}/${funnel}?range=7d&stage=2`);
    await leave(guest);
  });

  test("tabs whose session has run out renew it one after the other: none is signed out", async () => {
    const person = await shop.enter("funnels");
    const { context, page } = person;
    await page.getByRole("heading", { level: 1, name: "Funnels" }).waitFor();
    await context.clearCookies({ name: "iafa_access" });
    const tabs = [page, ...(await Promise.all([1, 2, 3].map(() => context.newPage())))];
    await Promise.all(tabs.map((tab) => tab.goto(`${shop.base}/funnels`)));
    for (const tab of tabs) await tab.getByRole("heading", { level: 1, name: "Funnels" }).waitFor();
    // Requests that came too late with the old session were refused, as they have to be.
    person.complaints.splice(0, person.complaints.length, ...person.complaints.filter((one) => !one.includes("401")));
    await leave(person);
  });

  test("a page that is reloaded while it renews its session stays signed in", async () => {
    const renewal = "/api/v1/auth/refresh";
    const line = await startSlowLine(shop.service, renewal, 1_500);
    const person = await newPerson(shop.browser);
    const { context, page } = person;
    await page.goto(`${line.url}/sign-in`);
    await signIn(page, PASSWORD);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await context.clearCookies({ name: "iafa_access" });
    const asked = page.waitForRequest(`${line.url}${renewal}`);
    const path = new URL(shop.base).pathname;
    await page.goto(`${line.url}${path}/funnels`, { waitUntil: "commit" });
    await asked;
    // The service has rotated the token by now, and the page goes before it could be told.
    await page.goto(`${line.url}${path}/funnels`);
    await page.getByRole("heading", { level: 1, name: "Funnels" }).waitFor();
    await line.stop();
    person.complaints.splice(0, person.complaints.length, ...person.complaints.filter((one) => !one.includes("401")));
    await leave(person);
  });

  test("hostile names are text: shown whole, run never", async () => {
    const person = await shop.enter(funnel);
    await person.page.locator("table tbody tr").nth(3).waitFor();
    expect(await stageTable(person.page)).toEqual([
      { name: HOSTILE.markup, people: "10" },
      { name: HOSTILE.long, people: "8" },
      { name: HOSTILE.rightToLeft, people: "6" },
      { name: HOSTILE.emoji, people: "4" },
    ]);
    expect(await person.page.title()).toContain("<img src=x");
    expect(await person.page.locator("img").count()).toBe(0);
    expect(await overhang(person.page)).toBeLessThanOrEqual(0);
    await photograph(person.page, "hostile-names");
    await leave(person);
  });

  test("the builder works from the keyboard: autocomplete, reorder, save", async () => {
    const person = await shop.enter("funnels/new");
    const { page } = person;
    await page.getByLabel("Name", { exact: true }).fill("By keys");
    await page.getByRole("combobox", { name: "Event of stage 1" }).focus();
    await page.keyboard.type("launch");
    await page.getByRole("option", { name: HOSTILE.emoji }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "Event of stage 2" }).fill(HOSTILE.rightToLeft);
    await page.getByRole("button", { name: /^Stage 2 of 2/ }).focus();
    await page.keyboard.press("ArrowUp");
    await page.getByText("is now stage 1 of 2.").waitFor({ state: "attached" });
    expect(await page.getByRole("combobox", { name: "Event of stage 1" }).inputValue()).toBe(HOSTILE.rightToLeft);
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "By keys" }).waitFor();
    await leave(person);
  });

  test("a stage is dragged to another place", async () => {
    const person = await shop.enter(`${funnel}/edit`);
    const { page } = person;
    const handle = page.getByRole("button", { name: /^Stage 1 of 4/ });
    const [from, to] = [await handle.boundingBox(), await page.getByRole("button", { name: /^Stage 2 of 4/ }).boundingBox()];
    await drag(page, handle, [0, (to?.y ?? 0) - (from?.y ?? 0) + 80]);
    expect(await page.getByRole("combobox", { name: "Event of stage 2" }).inputValue()).toBe(HOSTILE.markup);
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(`${shop.base}/${funnel}`);
    await leave(person);
  });

  test("every page stands up: no fault, no sideways scrolling", async () => {
    const guest = await newPerson(shop.browser, { reducedMotion: "reduce" });
    await guest.page.goto(`${shop.service.url}/sign-in`);
    await expectToStand(guest.page, "sign-in");
    await leave(guest);

    const person = await shop.enter();
    const addresses = {
      projects: `${shop.service.url}/projects`,
      funnels: `${shop.base}/funnels`,
      funnel: `${shop.base}/${funnel}?stage=2`,
      builder: `${shop.base}/${funnel}/edit`,
      "tracking-code": `${shop.base}/setup`,
      settings: `${shop.base}/settings`,
      "not-found": `${shop.service.url}/no/such/page`,
    };
    for (const [name, address] of Object.entries(addresses)) {
      await person.page.goto(address);
      await person.page.getByRole("heading", { level: 1 }).waitFor();
      await expectToStand(person.page, name);
    }
    await leave(person);
  });

  test("a page that is opened by its address begins at its top, whatever was scrolled before", async () => {
    const person = await shop.enter(funnel, { viewport: { width: 390, height: 600 } });
    const { page } = person;
    const scrolled = (): Promise<unknown> => page.evaluate("scrollY");
    await page.getByRole("tab", { name: "Steps" }).waitFor();
    await page.evaluate("scrollTo(0, 500)");
    await expect.poll(scrolled).toBe(500);
    await page.goto(`${shop.base}/settings`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    expect(await scrolled()).toBe(0);
    await leave(person);
  });

  test("on a phone that adapts its window to the page, the pages fit, and the menu opens by a tap", async () => {
    const person = await shop.enter(funnel, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const { page } = person;
    for (const path of [funnel, "funnels", "overview"]) {
      await page.goto(`${shop.base}/${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await photograph(page, `touched-${path.split("/")[0] ?? path}`);
      expect(await overhang(page), path).toBeLessThanOrEqual(0);
    }
    await page.getByRole("button", { name: "More", exact: true }).tap();
    await page.getByRole("dialog").getByRole("link", { name: "Trends" }).tap();
    await page.waitForURL("**/trends*");
    await leave(person);
  });
});
