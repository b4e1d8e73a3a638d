/** The data pages against the real service: the event log while events arrive, the live view, people, sessions. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand, seriousFaults } from "./page-checks";
import { expectQuiet, photograph, WAIT_MS, type Person } from "./person";
import { leave, openShop, type Shop } from "./shop";

const HOSTILE = `<img src=x onerror="document.title='stolen'">`;
const RIGHT_TO_LEFT = "שלום עולם";
const LONG = "x".repeat(200);
const ROWS = 250;
const LATER = 40;
const event = (name: string, user: string, ago_s: number, more: object = {}): object => ({
  event_type: name,
  user_id: user,
  timestamp: new Date(Date.now() - ago_s * 1_000).toISOString(),
  ...more,
});

/** Visits of a shop over some days, with sources, pages and names that would like to do harm. */
function visits(): object[] {
  const names = ["page_view", "add_to_cart", HOSTILE, RIGHT_TO_LEFT, LONG];
  return Array.from({ length: ROWS }, (_none, at) => {
    const visit = Math.floor(at / 5);
    const user = at % 10 === 7 ? HOSTILE : `person-${visit % 9}`;
    const name = names[at % names.length] ?? "page_view";
    const query = visit % 3 === 0 ? "?utm_source=newsletter&utm_campaign=autumn" : "";
    return event(name, user, 60 + visit * 7_000 + (5 - (at % 5)) * 20, {
      id: `seed-${at}`,
      properties: { n: at, plan: at % 2 === 0 ? "pro" : "free", title: HOSTILE },
      url: `https://shop.example/page-${visit % 4}${query}`,
      referrer: visit % 2 === 0 ? "https://www.google.com/" : "https://blog.example/post",
    });
  });
}

describe.skipIf(!chromiumPath)(`data pages${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;
  let owner: Person;

  beforeAll(async () => {
    shop = await openShop("Shop");
    await shop.send(visits());
    owner = await shop.enter();
  });
  afterAll(() => shop?.close());

  const table = (page: Page, name: string) => page.getByRole("table", { name });

  /** Scrolls through the whole table and writes down each row that is seen, by the number in one of its columns. */
  async function numbersSeen(page: Page, wanted: number, meanwhile: (round: number) => Promise<void>): Promise<number[]> {
    const seen = new Map<string, number>();
    const box = table(page, "Events");
    for (let round = 0; round < 200 && new Set(seen.values()).size < wanted; round++) {
      const shown = await box.locator("[data-index]").evaluateAll((rows) =>
        rows.map((row) => [row.getAttribute("aria-rowindex") ?? "", row.lastElementChild?.textContent ?? ""] as const),
      );
      for (const [, text] of shown) if (/^\d+$/.test(text)) seen.set(text, Number(text));
      const texts = shown.map(([, text]) => text);
      expect(new Set(texts).size, "a row stands twice").toBe(texts.length);
      await meanwhile(round);
      await box.evaluate((element) => element.scrollBy({ top: 300 }));
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    return [...seen.values()].sort((one, two) => one - two);
  }

  test("the log shows each event that was sent, once, while more arrive", async () => {
    const { page } = owner;
    await page.goto(`${shop.base}/events?range=all&column=properties.n`);
    await table(page, "Events").locator("[data-index='0']").waitFor();
    let sent = 0;
    const seen = await numbersSeen(page, ROWS, async () => {
      if (sent >= LATER) return;
      await shop.send([event("later", "person-0", 0, { id: `later-${sent}`, properties: { n: 1_000 + sent } })]);
      sent += 1;
    });
    expect(seen.filter((one) => one < 1_000)).toEqual(Array.from({ length: ROWS }, (_none, at) => at));
    while (sent < LATER) {
      await shop.send([event("later", "person-0", 0, { id: `later-${sent}`, properties: { n: 1_000 + sent } })]);
      sent += 1;
    }
    // What came meanwhile waits behind the button, and stands on top once it is pressed.
    const fresh = page.getByRole("button", { name: `${LATER} new events` });
    await fresh.waitFor();
    await photograph(page, "events-fresh");
    await fresh.click();
    await table(page, "Events").locator("[data-index='0']").getByText(String(1_000 + LATER - 1), { exact: true }).waitFor();
    expect(await page.locator("img").count()).toBe(0);
    expectQuiet(owner);
  });

  test("the live tail puts new events in by itself; filters, columns and the open event are in the address", async () => {
    const { page } = owner;
    await page.goto(`${shop.base}/events?range=all&column=properties.n&tail=on&event=tailed`);
    await page.getByRole("heading", { name: "No event fits" }).waitFor();
    await shop.send([event("tailed", "person-1", 0, { properties: { n: 7 } })]);
    const row = table(page, "Events").locator("[data-index='0']");
    await row.getByText("tailed").waitFor();
    await row.focus();
    await page.keyboard.press("Enter");
    const sheet = page.getByRole("dialog", { name: "tailed" });
    await sheet.getByText("person-1").first().waitFor();
    await sheet.getByText("JSON", { exact: true }).click();
    await sheet.getByText('"event_type": "tailed"').waitFor();
    await page.reload();
    await page.getByRole("dialog", { name: "tailed" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("button", { name: "os", exact: true }).click();
    await page.waitForURL(/column=os/);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Actions" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "CSV" }).click()]);
    const lines = readFileSync((await file.path()) ?? "", "utf8").trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("tailed");
    expectQuiet(owner);
  });

  test("the live view tells what was stored, repeated and refused, and why", async () => {
    const { page } = owner;
    await page.goto(`${shop.base}/live`);
    await page.getByText("Connected", { exact: true }).waitFor();
    await shop.send([event("watched", "person-2", 0, { id: "w1" })]);
    await expect(shop.send([{ event_type: "broken", user_id: "person-2", timestamp: "not a time" }])).rejects.toThrow("0 of 1 events");
    await expect(shop.send([event("watched", "person-2", 0, { id: "w1" })])).rejects.toThrow("0 of 1 events");
    const rows = table(page, "Events as they come in");
    await rows.getByText("broken").waitFor();
    await rows.getByText("Duplicate").waitFor();
    await photograph(page, "live-light");
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("radio", { name: /^Rejected/ }).click();
    await page.waitForURL(/outcome=rejected/);
    // The address changes a moment before the rows do.
    await expect.poll(() => rows.locator("[data-index]").count(), { timeout: WAIT_MS }).toBe(1);
    await rows.locator("[data-index='0']").click();
    const sheet = page.getByRole("dialog", { name: "broken" });
    await sheet.getByText("The time cannot be read").waitFor();
    await sheet.getByText("not a time").first().waitFor();
    expect(await sheet.getByRole("link", { name: "Mend it in data quality" }).getAttribute("href")).toContain("/quality");
    await photograph(page, "live-rejected");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Pause" }).click();
    await shop.send([event("unseen", "person-2", 0)]);
    await page.getByText("1 event since you paused").waitFor();
    expect(await rows.getByText("unseen").count()).toBe(0);
    expectQuiet(owner);
  });

  test("a person is found, exported, erased with the id typed, and the page tells what became of them", async () => {
    const { page } = owner;
    const id = "person-4";
    await page.goto(`${shop.base}/people`);
    await page.getByRole("searchbox", { name: "Find people" }).fill(id);
    await page.waitForURL(/q=person-4/);
    await table(page, "People").getByText(id).click();
    await page.getByRole("heading", { name: id, level: 1 }).waitFor();
    const events = Number(await page.getByRole("region", { name: "Events", exact: true }).locator("p").first().textContent());
    expect(events).toBeGreaterThan(10);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export everything" }).click()]);
    const lines = readFileSync((await file.path()) ?? "", "utf8").trim().split("\n").map((line) => JSON.parse(line) as { type: string });
    expect(lines.filter((line) => line.type === "event")).toHaveLength(events);
    expect(lines.at(-1)).toMatchObject({ type: "end", events });
    await page.getByRole("button", { name: "Delete this person" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("person-5");
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await dialog.getByText("This is not the id.").waitFor();
    await photograph(page, "person-erase");
    await dialog.getByRole("textbox").fill(id);
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("heading", { name: "This person was erased" }).waitFor();
    await page.getByText(`${events} events left all answers at once`).waitFor();
    await photograph(page, "person-erased");
    await page.goto(`${shop.base}/events?range=all&person=${id}`);
    await page.getByRole("heading", { name: "No event fits" }).waitFor();
    await page.goto(`${shop.base}/person?id=nobody`);
    await page.getByRole("heading", { name: "Nobody with this id", level: 2 }).waitFor();
    // That there is no such person is the service's answer, not a fault of the page.
    owner.complaints.splice(0, owner.complaints.length, ...owner.complaints.filter((one) => !/404.*\/people\//.test(one)));
    expectQuiet(owner);
  });

  test("every data page stands up: no fault, no sideways scrolling", async () => {
    const { page } = owner;
    const hostile = encodeURIComponent(HOSTILE);
    const addresses: Record<string, [string, string]> = {
      events: ["events?range=all&column=properties.plan&column=url", "[data-index='0']"],
      "events-open": [`events?range=all&event=${hostile}`, "[data-index='0']"],
      live: ["live", "main h1"],
      people: ["people", "[data-index='0']"],
      erasures: ["people?panel=erasures", "dialog li"],
      person: [`person?id=${hostile}`, "main h3"],
      sessions: ["sessions?range=30d", "main [role=tabpanel] li"],
    };
    for (const [name, [address, ready]] of Object.entries(addresses)) {
      await page.goto(`${shop.base}/${address}`);
      await page.locator(ready).first().waitFor();
      if (name === "events-open") {
        await page.locator("[data-index='0']").click();
        await page.getByRole("dialog").getByRole("heading", { name: "Properties" }).waitFor();
      }
      await expectToStand(page, `data-${name}`);
      expect(await page.title()).not.toBe("stolen");
    }
    await leave(owner);
  });
});
