/** The main job, nothing mocked: a snippet in a page, visitors in a browser, their funnel on the dashboard. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openChromium, skipReason } from "./chromium";
import { expectToStand } from "./page-checks";
import { createProject, expectQuiet, newPerson, photograph, register, snippetOf, stageTable } from "./person";
import { startService, startSite, type Running } from "./service";

const PAGES = ["/index.html", "/pricing.html", "/thanks.html"];

function site(snippet: string): Record<string, string> {
  return Object.fromEntries(
    PAGES.map((path, index) => {
      const next = PAGES[index + 1];
      const body = next ? `<a href="${next}">Next</a>` : "<p>Done</p>";
      return [path, `<!doctype html><html lang="en"><head><title>${path}</title><link rel="icon" href="data:," />${snippet}</head><body>${body}</body></html>`];
    }),
  );
}

async function visit(browser: Browser, url: string, pages: number): Promise<void> {
  const visitor = await newPerson(browser);
  const isSent = (): Promise<unknown> =>
    visitor.page.waitForResponse(
      (answer) => answer.url().includes("/e/") && (answer.request().postData() ?? "").includes('"page_view"'),
    );
  let sent = isSent();
  await visitor.page.goto(url + PAGES[0]);
  await sent;
  for (const path of PAGES.slice(1, pages)) {
    sent = isSent();
    await visitor.page.getByRole("link", { name: "Next" }).click();
    await visitor.page.waitForURL(`**${path}`);
    await sent;
  }
  expectQuiet(visitor);
  await visitor.context.close();
}

async function fillPageStage(page: Page, order: number, path: string, name: string): Promise<void> {
  await page.getByRole("radiogroup", { name: `Kind of stage ${order}` }).getByRole("radio", { name: "Page" }).click();
  await page.getByLabel(`Page of stage ${order}`).fill(path);
  await page.getByLabel(`Name of stage ${order}`).fill(name);
}

describe.skipIf(!chromiumPath)(`first funnel${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let service: Running;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test("from the snippet to an exact funnel on the screen", async () => {
    const owner = await newPerson(browser);
    const { page } = owner;
    await page.goto(`${service.url}/sign-up`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await expectToStand(page, "sign-up");
    await register(page, service.url, "owner@example.org");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await expectToStand(page, "onboarding-project");
    await createProject(page, "Static site");
    const snippet = await snippetOf(page);
    expect(snippet).toContain("<script");
    const status = page.locator("[data-state]").filter({ hasText: /event/i }).first();
    await page.getByRole("heading", { name: "Waiting for the first event" }).waitFor();
    await photograph(page, "tracking-code-waiting");

    const visited = await startSite(site(snippet));
    try {
      await visit(browser, visited.url, 3);
      // No reload: the page finds out by itself.
      await page.getByRole("heading", { name: "Events are arriving" }).waitFor();
      expect(await status.getAttribute("data-state")).toBe("received");
      await visit(browser, visited.url, 2);
    } finally {
      await visited.stop();
    }
    await photograph(page, "tracking-code-received");

    await page.getByRole("link", { name: "Build a funnel from these events" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Visit to thanks");
    await fillPageStage(page, 1, "/index.html", "Home");
    await fillPageStage(page, 2, "/pricing.html", "Pricing");
    await page.getByRole("button", { name: "Add stage" }).click();
    await fillPageStage(page, 3, "/thanks.html", "Thanks");
    const preview = page.locator("section").filter({ has: page.getByRole("heading", { name: "Preview" }) });
    await preview.getByText("Thanks").waitFor();
    await photograph(page, "builder");
    await page.getByRole("button", { name: "Create funnel" }).click();

    await page.getByRole("heading", { name: "Visit to thanks" }).waitFor();
    await page.locator("table tbody tr").nth(2).waitFor();
    expect(await stageTable(page)).toEqual([
      { name: "Home", people: "2" },
      { name: "Pricing", people: "2" },
      { name: "Thanks", people: "1" },
    ]);
    await page.locator("svg.recharts-surface").waitFor();
    await photograph(page, "funnel");

    await page.locator('button[data-order="1"]:visible').focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL("**stage=2");
    await page.getByRole("region", { name: "Stage: Pricing" }).waitFor();
    await page.reload();
    await page.getByRole("region", { name: "Stage: Pricing" }).waitFor();
    expectQuiet(owner);
    await owner.context.close();
  });
});
