/** Makes the calls that it is told on its standard input, with @segment/analytics-next in a real Chromium. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const { chromium: path, host, key, calls, settings, options, leaving = [], oneByOne = false } = JSON.parse(await text(process.stdin));
const { chromium } = createRequire(new URL("../../frontend/package.json", import.meta.url))("playwright-core");
const SDK = fileURLToPath(new URL("node_modules/@segment/analytics-next/dist/umd/", import.meta.url));
const PAGE = `<!doctype html><title>Shop</title><script src="/sdk/index.js"></script><h1>Shop</h1>`;

/** The customer's own site: its pages and the SDK's files, on an origin of its own. */
const site = createServer((request, response) => {
  const name = request.url.split("?")[0];
  if (name.startsWith("/sdk/")) {
    response.setHeader("Content-Type", "text/javascript");
    createReadStream(SDK + name.slice(5)).on("error", () => response.writeHead(404).end()).pipe(response);
  } else {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(PAGE);
  }
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${site.address().port}`;
const args = ["--disable-dev-shm-usage", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];
const browser = await chromium.launch({ executablePath: path, args });
const page = await browser.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));

/** Runs in the page. Each call is answered when the SDK says that it was delivered. */
async function run({ settings, options, calls, waits, oneByOne }) {
  if (!globalThis.analytics) [globalThis.analytics] = await AnalyticsNext.AnalyticsBrowser.load(settings, options);
  const extra = ({ timestamp, context, messageId }) => JSON.parse(JSON.stringify({ timestamp, context, messageId }));
  const make = {
    track: (one) => analytics.track(one.event, one.properties, extra(one)),
    page: (one) => analytics.page(one.category, one.name, one.properties, extra(one)),
    screen: (one) => analytics.screen(one.category, one.name, one.properties, extra(one)),
    identify: (one) => analytics.identify(one.userId, one.traits, extra(one)),
    group: (one) => analytics.group(one.groupId, one.traits, extra(one)),
    alias: (one) => analytics.alias(one.userId, one.previousId, extra(one)),
  };
  const made = [];
  for (const one of calls) {
    made.push(make[one.call](one));
    if (oneByOne) await made.at(-1);
  }
  if (waits) await Promise.all(made);
  return (await analytics.user()).anonymousId();
}

let anonymousId = null;
try {
  await page.goto(`${origin}/home?utm_source=letter&utm_campaign=spring`);
  anonymousId = await page.evaluate(run, { settings, options, calls, waits: true, oneByOne });
  if (leaving.length) {
    // What is called right before a page goes away.
    await page.evaluate(run, { settings, options, calls: leaving, waits: false });
    await page.goto(`${origin}/next`);
    await page.evaluate(run, { settings, options, calls: [], waits: true });
    await page.waitForTimeout(1500);
  }
} finally {
  await browser.close();
  site.close();
}
process.stdout.write(JSON.stringify({ errors, anonymousId, origin }));
