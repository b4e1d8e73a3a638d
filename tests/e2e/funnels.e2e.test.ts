/** A funnel from the builder to one person and the receipt, over events of a small shop, in the real service. */
import { readFile } from "node:fs/promises";
import type { Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand, seriousFaults } from "./page-checks";
import { photograph, stageTable } from "./person";
import { leave, openShop, type Shop } from "./shop";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** In this range 40 people with the plan pro look, 20 put into the cart, 8 buy within the hour, 4 a day late; before it 30, 12 and 9. */
function shopEvents(now: number): object[] {
  const events: object[] = [];
  const walk = (user: string, start: number, steps: readonly [string, number][], device: string): void => {
    for (const [event_type, after_ms] of steps) {
      events.push({ event_type, user_id: user, timestamp: new Date(start + after_ms).toISOString(), properties: { plan: "pro", device } });
    }
  };
  const visitors = (name: string, from: number, [looked, carted, bought, late]: readonly [number, number, number, number]): void => {
    for (let one = 0; one < looked; one += 1) {
      const start = from - (one % 10) * DAY_MS - 2 * DAY_MS;
      const steps: [string, number][] = [["view", 0]];
      if (one < carted) steps.push(["cart", 60_000]);
      if (one < bought) steps.push(["purchase", 180_000]);
      else if (one < bought + late) steps.push(["purchase", DAY_MS]);
      walk(`${name}-${one}`, start, steps, one % 4 === 0 ? "phone" : "desktop");
    }
  };
  visitors("now", now, [40, 20, 8, 4]);
  visitors("then", now - 32 * DAY_MS, [30, 12, 9, 0]);
  for (let one = 0; one < 7; one += 1) {
    events.push({ event_type: "view", user_id: `free-${one}`, timestamp: new Date(now - 3 * DAY_MS).toISOString(), properties: { plan: "free", device: "phone" } });
  }
  return events;
}

async function choose(page: Page, field: string, text: string): Promise<void> {
  await page.getByRole("combobox", { name: field }).last().fill(text);
  await page.getByRole("option", { name: text }).first().click();
}

async function saved(download: Promise<Download>): Promise<{ name: string; content: Buffer }> {
  const file = await download;
  return { name: file.suggestedFilename(), content: await readFile(await file.path()) };
}

describe.skipIf(!chromiumPath)(`funnels${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;
  let funnel: string;

  beforeAll(async () => {
    shop = await openShop("Small shop");
    await shop.send(shopEvents(Date.now()));
  });
  afterAll(() => shop?.close());

  test("from an empty list to a funnel with a filter, counted while it is written", async () => {
    const person = await shop.enter("funnels/new");
    const { page } = person;
    await page.getByLabel("Name", { exact: true }).fill("Checkout");
    await page.getByLabel("Window length").fill("1");
    await page.getByLabel("Window unit").selectOption("hours");
    await choose(page, "Event of stage 1", "view");
    await page.getByRole("button", { name: "Add filter" }).first().click();
    await choose(page, "Property", "plan");
    await choose(page, "Value", "pro");
    await page.getByRole("button", { name: /^Add cart, which 50.0% do next/ }).click();
    await page.getByRole("button", { name: /^Add purchase, which 40.0% do next/ }).click();
    const preview = page.locator("section").filter({ has: page.getByRole("heading", { name: "Preview" }) });
    await preview.getByText("20.0%").waitFor();
    await page.getByRole("button", { name: /^More options Order/ }).click();
    await page.getByRole("button", { name: "More options of stage 2" }).click();
    await photograph(page, "funnel-builder-options");
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Create funnel" }).click();
    await page.getByRole("heading", { name: "Checkout" }).waitFor();
    funnel = page.url().slice(shop.base.length + 1);
    await page.locator("table tbody tr").nth(2).waitFor();
    expect(await stageTable(page)).toEqual([
      { name: "view", people: "40" },
      { name: "cart", people: "20" },
      { name: "purchase", people: "8" },
    ]);
    await leave(person);
  });

  test("who dropped out and why: two clicks, then one person's time line", async () => {
    const person = await shop.enter(funnel);
    const { page } = person;
    await page.getByRole("button", { name: /^12 people did not reach purchase/ }).first().click();
    await page.waitForURL("**stage=3&side=dropped");
    const list = page.getByRole("list", { name: "People" });
    await page.getByText("12 stopped before purchase").waitFor();
    const late = list.getByRole("button").filter({ hasText: /after the window closed/ });
    await late.first().waitFor();
    await late.first().click();
    const panel = page.getByRole("region", { name: "Person" });
    await panel.getByText("counts as stage 2").waitFor();
    expect(await panel.getByText("counts as stage 3").count()).toBe(0);
    await panel.getByRole("listitem").filter({ hasText: "Stopped before purchase." }).getByText(/purchase came 23 hours after the window closed/).waitFor();
    await page.reload();
    await panel.getByText("counts as stage 1").waitFor();
    await photograph(page, "funnel-person");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const { content } = await saved(download);
    expect(content.toString().trim().split("\r\n")).toHaveLength(1 + 12);
    await page.goBack();
    await page.goto(`${shop.base}/${funnel}`);
    await leave(person);
  });

  test("compared with the days before, broken down, over time, with its receipt and as files", async () => {
    const person = await shop.enter(funnel);
    const { page } = person;
    const conversion = page.getByRole("region", { name: "Conversion", exact: true });
    await conversion.getByText("30.0% before").waitFor();
    expect(await conversion.textContent()).toContain("−10.0 pt");

    await page.getByRole("tab", { name: "Breakdown" }).click();
    await page.getByRole("button", { name: "device", exact: true }).click();
    const groups = page.getByRole("region", { name: "Conversion by device" });
    await groups.getByRole("row").filter({ hasText: "phone" }).waitFor();
    const rows = await groups.getByRole("row").evaluateAll((all) => all.slice(1).map((row) => [...row.querySelectorAll("th, td")].slice(0, 5).map((cell) => cell.textContent)));
    expect(rows).toEqual([
      ["desktop", "", "30", "6", "20.0%"],
      ["phone", "", "10", "2", "20.0%"],
    ]);
    await page.getByRole("tab", { name: "Time to convert" }).click();
    await page.getByRole("row", { name: "view → cart 20 1 min 1 min 1 min" }).waitFor();
    await page.getByRole("tab", { name: "Trend" }).click();
    await page.getByRole("group", { name: /^Checkout over time, by the time of entry/ }).locator("svg.recharts-surface").waitFor();

    await page.getByRole("button", { name: "Receipt" }).click();
    const receipt = page.getByRole("dialog");
    await receipt.getByText(`iafa sql ${shop.projectId} <<'IAFA_SQL'`).first().waitFor();
    await photograph(page, "funnel-receipt");
    const notebook = page.waitForEvent("download");
    await receipt.getByRole("button", { name: "Download notebook" }).click();
    expect(JSON.parse((await saved(notebook)).content.toString())).toMatchObject({ nbformat: 4 });
    await receipt.getByRole("button", { name: "Close" }).click();

    const menu = page.getByRole("button", { name: "Actions for this funnel" });
    const picture = page.waitForEvent("download");
    await menu.click();
    await page.getByRole("menuitem", { name: "Picture (PNG)" }).click();
    const png = await saved(picture);
    expect(png.name).toBe("Checkout.png");
    expect(png.content.subarray(1, 4).toString()).toBe("PNG");
    expect(png.content.length).toBeGreaterThan(10_000);
    const table = page.waitForEvent("download");
    await menu.click();
    await page.getByRole("menuitem", { name: "Stages (CSV)" }).click();
    expect((await saved(table)).content.toString().split("\r\n").slice(1, 4)).toEqual([
      "1,view,40,40,100,0,30,100",
      "2,cart,20,20,50,50,12,40",
      "3,purchase,8,8,20,60,9,30",
    ]);
    await leave(person);
  });

  test("every view of a funnel stands up: no fault, no sideways scrolling", async () => {
    const person = await shop.enter();
    const { page } = person;
    const views = {
      "funnel-list": "funnels",
      "funnel-new": "funnels/new",
      "funnel-new-seen": "funnels/new?from=seen",
      "funnel-steps": `${funnel}?layout=vertical`,
      "funnel-times": `${funnel}?tab=times`,
      "funnel-trend": `${funnel}?tab=trend`,
      "funnel-groups": `${funnel}?tab=breakdown&by=device`,
      "funnel-group-charts": `${funnel}?tab=breakdown&by=device&groups=charts`,
      "funnel-why": `${funnel}?tab=why`,
      "funnel-people": `${funnel}?stage=3&side=dropped&person=now-9`,
    };
    for (const [name, path] of Object.entries(views)) {
      await page.goto(`${shop.base}/${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expectToStand(page, name);
    }
    await leave(person);
  });
});
