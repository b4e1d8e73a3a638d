/** What a person does in the dashboard, step by step, with everything the browser complained about on the way. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { watchShifts } from "./layout-shift";

const ARTIFACTS = fileURLToPath(new URL("./artifacts/", import.meta.url));
/** How long a page may take on a machine that is busy with other tests; a state that never comes fails then. */
export const WAIT_MS = 60_000;
export const PASSWORD = "a long walk on the beach";

export interface Person {
  page: Page;
  context: BrowserContext;
  /** Console errors, page errors and refused requests, but for those a test expects. */
  complaints: string[];
}

export async function newPerson(browser: Browser, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(WAIT_MS);
  await watchShifts(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // A 401 for a visitor who is not signed in is the service's answer, not a fault of the page.
    const isExpected = message.text().includes("401") && message.location().url.includes("/api/v1/auth/");
    if (message.type() === "error" && !isExpected) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, context, complaints };
}

export async function register(page: Page, url: string, email: string): Promise<void> {
  await page.goto(`${url}/sign-up`);
  await page.getByLabel("Your name").fill("Ana Example");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.waitForURL("**/projects/new");
}

export async function createProject(page: Page, name: string): Promise<string> {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Time zone").selectOption("UTC");
  await page.getByRole("button", { name: "Create project" }).click();
  await page.waitForURL("**/setup");
  const id = /\/p\/([^/]+)\/setup/.exec(page.url())?.[1];
  if (!id) throw new Error(`no project id in ${page.url()}`);
  return id;
}

export async function snippetOf(page: Page): Promise<string> {
  const snippet = await page.getByLabel("Tracking snippet").textContent();
  if (!snippet) throw new Error("the page shows no snippet");
  return snippet;
}

/** Waits until the page rests, and keeps a picture of it in artifacts/ for people to look at. */
export async function photograph(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  // Of a picture longer than its window Chromium paints centred drawings beside their place; held at their corner they stay.
  await page.evaluate(() => document.querySelectorAll("svg.recharts-surface").forEach((one) => one.setAttribute("preserveAspectRatio", "xMinYMin meet")));
  await mkdir(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTIFACTS}${name}.png`, fullPage: true });
}

/** The row of the stage table as numbers and texts. */
export async function stageTable(page: Page): Promise<{ name: string; people: string }[]> {
  return page.locator("table tbody tr").evaluateAll((rows) =>
    rows.map((row) => ({
      name: row.querySelector("th span span:last-child")?.textContent ?? "",
      people: row.querySelector("td")?.textContent ?? "",
    })),
  );
}

export function expectQuiet(...people: Person[]): void {
  expect(people.flatMap((person) => person.complaints)).toEqual([]);
}
