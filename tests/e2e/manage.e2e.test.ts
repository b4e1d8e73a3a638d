/** Managing a project in a real browser: keys, origins, settings of two people, refused events, members, the audit log. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand } from "./page-checks";
import { newPerson, PASSWORD, photograph } from "./person";
import { leave, openShop, type Shop } from "./shop";

const SHOP = "https://shop.test";

/** As a page of another site sends it. */
const beacon = (url: string, key: string, origin: string, event: string): Promise<Response> =>
  fetch(`${url}/e/${key}`, {
    method: "POST",
    headers: { "Content-Type": "text/plain", Origin: origin },
    body: JSON.stringify({ e: [{ n: event, a: "visitor-1", i: `${event}-1` }] }),
  });

const track = (url: string, key: string, event: object): Promise<Response> =>
  fetch(`${url}/api/v1/track`, { method: "POST", headers: { "X-API-Key": key, "Content-Type": "application/json" }, body: JSON.stringify(event) });

describe.skipIf(!chromiumPath)(`managing${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;

  const save = (page: Page) => page.getByRole("button", { name: "Save changes" }).click();

  // Refused events are rows when the journal has been flushed.
  beforeAll(async () => (shop = await openShop("Shop", { EVENT_FLUSH_INTERVAL: "1" })));
  afterAll(() => shop?.close());

  test("a blocked origin is told on the setup page, and its remedy works", async () => {
    const owner = await shop.enter("settings?section=origins");
    const { page } = owner;
    await page.getByLabel("Allowed origin").fill("https://www.shop.test");
    await page.keyboard.press("Enter");
    await save(page);
    await page.getByText("Settings saved").waitFor();
    await expect.poll(async () => (await beacon(shop.service.url, shop.key, SHOP, "refused_view")).status, { timeout: 20_000 }).toBe(403);

    await page.goto(`${shop.base}/setup`);
    await page.getByText(`Requests from ${SHOP} are refused: the origin is not allowed`).waitFor();
    await photograph(page, "setup-blocked");
    await page.getByRole("button", { name: `Allow ${SHOP}` }).click();
    await page.getByText(`${SHOP} may send events now`).waitFor();
    await expect.poll(async () => (await beacon(shop.service.url, shop.key, SHOP, "page_view")).status, { timeout: 20_000 }).toBe(204);
    await page.getByRole("heading", { name: "Events are arriving" }).waitFor();
    await photograph(page, "setup-received");
    await leave(owner);
  });

  test("a key is rotated, and both work during the overlap", async () => {
    const owner = await shop.enter("settings?section=keys");
    const { page } = owner;
    const row = page.getByRole("listitem").filter({ hasText: shop.key });
    await row.getByRole("button", { name: /^Rotate the key/ }).click();
    await page.getByRole("button", { name: "Make the new key" }).click();
    const made = (await page.getByLabel("New key", { exact: true }).textContent()) ?? "";
    expect(made).toMatch(/^iafa_w_/);
    expect(made).not.toBe(shop.key);
    await page.getByRole("button", { name: "Done" }).click();
    await row.getByText(/^ends /).waitFor();
    await photograph(page, "settings-keys-rotated");
    for (const [index, one] of [shop.key, made].entries()) {
      const send = async (): Promise<number> => (await track(shop.service.url, one, { event_type: "rotated", user_id: `user-${index}` })).status;
      await expect.poll(send, { timeout: 20_000 }).toBe(200);
    }
    await leave(owner);
  });

  test("a refused event is mended and replayed, and then counted", async () => {
    const owner = await shop.enter();
    const { page } = owner;
    const refused = await track(shop.service.url, shop.key, { event_type: "mended_buy", user_id: "ann", id: "order-77", timestamp: "yesterday" });
    expect(refused.status).toBe(422);
    await page.goto(`${shop.base}/quality?tab=refused&reason=invalid_timestamp`);
    await page.getByRole("row").filter({ hasText: "mended_buy" }).click({ timeout: 45_000 });
    const text = page.getByLabel("The event as it was sent");
    await text.fill((await text.inputValue()).replace('"yesterday"', JSON.stringify(new Date().toISOString())));
    await page.getByRole("button", { name: "Try" }).click();
    await page.getByText("This would be stored.").waitFor();
    await photograph(page, "quarantine-row");
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await page.getByText("Event stored").waitFor();
    await page.getByText("Nothing waits here").waitFor();

    await page.goto(`${shop.base}/quality?tab=schema`);
    const row = page.getByRole("row").filter({ hasText: "mended_buy" });
    await row.waitFor();
    expect(await row.getByRole("cell").nth(1).textContent()).toBe("1");
    await leave(owner);
  });

  test("two people change one setting: the second is told and loads the first's", async () => {
    const [first, second] = await Promise.all([shop.enter(), shop.enter()]);
    for (const { page } of [first, second]) {
      await page.goto(`${shop.base}/settings?section=retention`);
      await page.getByLabel("Days that events are kept").waitFor();
    }
    await second.page.getByLabel("Days that events are kept").fill("44");
    await first.page.getByLabel("Days that events are kept").fill("33");
    await save(first.page);
    await first.page.getByText("Settings saved").waitFor();
    await save(second.page);
    await second.page.getByText("Somebody else has changed these settings meanwhile.").waitFor();
    await photograph(second.page, "settings-conflict");
    await second.page.getByRole("button", { name: "Load their version" }).click();
    expect(await second.page.getByLabel("Days that events are kept").inputValue()).toBe("33");
    // The browser tells each refused request by itself; this one was to be refused.
    second.complaints.splice(0, second.complaints.length, ...second.complaints.filter((one) => !one.includes("status of 412")));
    await leave(first, second);
  });

  test("an invited viewer joins, reads, and changes nothing", async () => {
    const owner = await shop.enter();
    await owner.page.goto(`${shop.service.url}/members`);
    await owner.page.getByRole("button", { name: "Invite somebody" }).click();
    await owner.page.getByLabel("Email").fill("viewer@example.org");
    await owner.page.getByRole("button", { name: "Make the link" }).click();
    const link = (await owner.page.getByLabel("Invitation link").textContent()) ?? "";
    expect(link).toContain("/join#");

    const guest = await newPerson(shop.browser);
    await guest.page.goto(shop.service.url + new URL(link).pathname + new URL(link).hash);
    await guest.page.getByLabel("Your name").waitFor();
    await expectToStand(guest.page, "manage-join");
    await guest.page.getByLabel("Your name").fill("Vera Viewer");
    await guest.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await guest.page.getByRole("button", { name: "Join" }).click();
    await guest.page.waitForURL("**/overview");
    await guest.page.goto(`${shop.base}/settings?section=limits`);
    await guest.page.getByText("Your role may read these settings.").waitFor();
    expect(await guest.page.getByLabel("Events a month").isDisabled()).toBe(true);
    await guest.page.goto(`${shop.base}/settings?section=keys`);
    await guest.page.getByText("Only admins and owners see the keys.").waitFor();
    // Not only hidden: the service refuses, too.
    const answer = await guest.page.request.put(`${shop.service.url}/api/v1/projects/${shop.projectId}`, { data: { name: "Mine" } });
    expect(answer.status()).toBe(403);
    await leave(owner, guest);
  });

  test("the audit log lists what was done, and the system page has numbers", async () => {
    const owner = await shop.enter();
    const { page } = owner;
    await page.goto(`${shop.service.url}/audit`);
    for (const action of ["key.rotate", "project.change", "invitation.make"]) await page.getByRole("row").filter({ hasText: action }).first().waitFor();
    await page.goto(`${shop.service.url}/system`);
    await page.getByRole("region", { name: "Free disk" }).getByText(/\d (GB|MB|TB)/).first().waitFor();
    await leave(owner);
  });

  test("the pages of managing stand up: no fault, no sideways scrolling", async () => {
    const person = await shop.enter();
    const { page } = person;
    const addresses = {
      setup: `${shop.base}/setup?options=open&tab=react`,
      "settings-general": `${shop.base}/settings`,
      "settings-keys": `${shop.base}/settings?section=keys`,
      "settings-limits": `${shop.base}/settings?section=limits`,
      "settings-sampling": `${shop.base}/settings?section=sampling`,
      quality: `${shop.base}/quality`,
      quarantine: `${shop.base}/quality?tab=refused&state=all`,
      schema: `${shop.base}/quality?tab=schema`,
      members: `${shop.service.url}/members`,
      audit: `${shop.service.url}/audit`,
      system: `${shop.service.url}/system`,
    };
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(address);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForLoadState("networkidle");
      if (name === "settings-sampling") await page.getByRole("button", { name: "Add a rule" }).click();
      await expectToStand(page, `manage-${name}`);
    }
    await leave(person);
  });
});
