/** What the dashboard does with wrong passwords, hostile names, keys instead of a mouse, dark rooms and small screens. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openChromium, skipReason } from "./chromium";
import { createProject, expectQuiet, newPerson, PASSWORD, photograph, register, stageTable } from "./person";
import { startService, type Running } from "./service";

const EMAIL = "dashboard@example.org";
const HOSTILE = {
  markup: `<img src=x onerror="document.title='stolen'">`,
  long: "x".repeat(200),
  rightToLeft: "שלום עולם",
  emoji: "🚀 launch 🎉",
};
const require = createRequire(fileURLToPath(new URL("../../frontend/package.json", import.meta.url)));
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function signIn(page: Page, url: string, password = PASSWORD): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function send(url: string, key: string, events: object[]): Promise<void> {
  const answer = await fetch(`${url}/api/v1/track/batch`, {
    method: "POST",
    headers: { "X-API-Key": key, "Content-Type": "application/json" },
    body: JSON.stringify({ events }),
  });
  const result = (await answer.json()) as { accepted: number };
  if (result.accepted !== events.length) throw new Error(JSON.stringify(result));
}

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

interface Violation {
  id: string;
  impact: string | null;
  nodes: { target: string[] }[];
}

async function seriousFaults(page: Page): Promise<string[]> {
  // Through the debugger protocol: the security policy lets no script of a test into the page.
  await page.evaluate(axeSource);
  const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as { violations: Violation[] };
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

describe.skipIf(!chromiumPath)(`dashboard${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let service: Running;
  let browser: Browser;
  let projectId: string;
  let funnelUrl: string;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), openChromium()]);
    const owner = await newPerson(browser);
    await register(owner.page, service.url, EMAIL);
    projectId = await createProject(owner.page, HOSTILE.markup);
    const key = await owner.page.locator("code").filter({ hasText: /^iafa_w_/ }).first().textContent();
    await send(service.url, key ?? "", shrinkingCrowd(Object.values(HOSTILE)));
    await owner.page.goto(`${service.url}/p/${projectId}/funnels/new?from=seen`);
    await owner.page.getByLabel("Name", { exact: true }).fill(HOSTILE.markup);
    await owner.page.getByRole("button", { name: "Create funnel" }).click();
    await owner.page.waitForURL(/funnels\/(?!new)[^/?]+$/);
    funnelUrl = owner.page.url();
    expectQuiet(owner);
    await owner.context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test("a wrong password is told in words and loses nothing that was typed", async () => {
    const guest = await newPerson(browser);
    await signIn(guest.page, service.url, "not the password");
    await guest.page.getByRole("alert").getByText("Email or password is wrong.").waitFor();
    expect(await guest.page.getByLabel("Email").inputValue()).toBe(EMAIL);
    await photograph(guest.page, "sign-in-refused");
    expectQuiet(guest);
    await guest.context.close();
  });

  test("a link opened signed out leads to its page after signing in", async () => {
    const guest = await newPerson(browser);
    await guest.page.goto(`${funnelUrl}?range=7d&stage=2`);
    await guest.page.waitForURL("**/sign-in?next=*");
    await guest.page.getByLabel("Email").fill(EMAIL);
    await guest.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await guest.page.getByRole("button", { name: "Sign in" }).click();
    await guest.page.waitForURL(`${funnelUrl}?range=7d&stage=2`);
    expectQuiet(guest);
    await guest.context.close();
  });

  test("hostile names are text: shown whole, run never", async () => {
    const person = await newPerson(browser);
    await signIn(person.page, service.url);
    await person.page.waitForURL("**/funnels");
    await person.page.goto(funnelUrl);
    await person.page.locator("table tbody tr").nth(3).waitFor();
    expect(await stageTable(person.page)).toEqual([
      { name: HOSTILE.markup, people: "10" },
      { name: HOSTILE.long, people: "8" },
      { name: HOSTILE.rightToLeft, people: "6" },
      { name: HOSTILE.emoji, people: "4" },
    ]);
    expect(await person.page.title()).toContain("<img src=x");
    expect(await person.page.locator("img").count()).toBe(0);
    expect(await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await photograph(person.page, "hostile-names");
    expectQuiet(person);
    await person.context.close();
  });

  test("the builder works from the keyboard: autocomplete, reorder, save", async () => {
    const person = await newPerson(browser);
    const { page } = person;
    await signIn(page, service.url);
    await page.waitForURL("**/funnels");
    await page.goto(`${service.url}/p/${projectId}/funnels/new`);
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
    expectQuiet(person);
    await person.context.close();
  });

  test("a stage is dragged to another place", async () => {
    const person = await newPerson(browser);
    const { page } = person;
    await signIn(page, service.url);
    await page.waitForURL("**/funnels");
    await page.goto(`${funnelUrl}/edit`);
    const handle = await page.getByRole("button", { name: /^Stage 1 of 4/ }).boundingBox();
    const target = await page.getByRole("button", { name: /^Stage 2 of 4/ }).boundingBox();
    if (!handle || !target) throw new Error("no handles to drag");
    await page.mouse.move(handle.x + 5, handle.y + 5);
    await page.mouse.down();
    await page.mouse.move(target.x + 5, target.y + 80, { steps: 12 });
    await page.mouse.up();
    expect(await page.getByRole("combobox", { name: "Event of stage 2" }).inputValue()).toBe(HOSTILE.markup);
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(funnelUrl);
    expectQuiet(person);
    await person.context.close();
  });

  test.each([
    ["light", {}],
    ["dark", { colorScheme: "dark" as const }],
    ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ])("every page stands up in %s: no fault, no sideways scrolling", async (mode, options) => {
    const person = await newPerson(browser, { ...options, reducedMotion: "reduce" });
    const { page } = person;
    await page.goto(`${service.url}/sign-in`);
    await photograph(page, `sign-in-${mode}`);
    await signIn(page, service.url);
    await page.waitForURL("**/funnels");
    const base = `${service.url}/p/${projectId}`;
    const addresses = {
      projects: `${service.url}/projects`,
      funnels: `${base}/funnels`,
      funnel: `${funnelUrl}?stage=2`,
      builder: `${funnelUrl}/edit`,
      "tracking-code": `${base}/setup`,
      settings: `${base}/settings`,
    };
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(address);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await photograph(page, `${name}-${mode}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), name).toBeLessThanOrEqual(0);
      expect(await seriousFaults(page), name).toEqual([]);
    }
    expectQuiet(person);
    await person.context.close();
  }, 180_000);
});
