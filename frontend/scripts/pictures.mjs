// Takes the pictures of README and docs from the demo shop: `make pictures`. They show today's days, so that they differ
// from run to run in nothing but dates and the noise of chance.
import { fileURLToPath } from "node:url";
import { openChromium, startDemo } from "./demo.mjs";

const out = fileURLToPath(new URL("../../docs/images/", import.meta.url));

const demo = await startDemo();
const browser = await openChromium();
try {
  const context = await browser.newContext({ viewport: { width: 1360, height: 940 }, locale: "en-GB", reducedMotion: "reduce" });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(`${demo.url}/sign-in`);
  await page.getByLabel("Email").fill(demo.email);
  await page.getByLabel("Password", { exact: true }).fill(demo.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/p\/[^/]+\//);
  const base = `${demo.url}${/\/p\/[^/]+/.exec(page.url())[0]}`;
  await page.goto(`${base}/funnels`);
  const checkout = await page.getByRole("link", { name: /Checkout/ }).first().getAttribute("href");
  const pictures = {
    funnel: `${demo.url}${checkout}`,
    overview: `${base}/overview`,
    trends: `${base}/trends?range=90d`,
    retention: `${base}/retention?range=90d`,
    paths: `${base}/paths`,
    people: `${base}/people`,
  };
  for (const [name, address] of Object.entries(pictures)) {
    await page.goto(address);
    await page.waitForLoadState("networkidle");
    await page.waitForFunction(() => !document.querySelector("main [aria-busy=true]"));
    await page.screenshot({ path: `${out}${name}.png` });
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
  await demo.stop();
}
