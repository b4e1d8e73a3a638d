/** Makes the calls that it is told on its standard input, with a browser SDK as it is published, in a real Chromium. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const { chromium: path, library: sdk = "segment", key, host, calls, settings, options, leaving = [], oneByOne = false } = JSON.parse(
  await text(process.stdin),
);
const { chromium } = createRequire(new URL("../../frontend/package.json", import.meta.url))("playwright-core");
const FILES = {
  segment: ["@segment/analytics-next/dist/umd/", "index.js"],
  rudder: ["@rudderstack/analytics-js/dist/npm/modern/bundled/umd/", "index.js"],
  posthog: ["posthog-js/dist/", "array.full.js"],
};
const [folder, file] = FILES[sdk];
const SDK = fileURLToPath(new URL(`node_modules/${folder}`, import.meta.url));
const PAGE = `<!doctype html><title>Shop</title><script src="/sdk/${file}"></script><h1>Shop</h1>`;

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
let asked = 0;
let lastMs = Date.now();
page.on("request", () => (asked += 1));
page.on("requestfinished", () => ((asked -= 1), (lastMs = Date.now())));
page.on("requestfailed", () => ((asked -= 1), (lastMs = Date.now())));

/** Until nothing has been asked for some time: longer than these SDKs collect events. */
async function settled() {
  while (asked > 0 || Date.now() - lastMs < 5000) await page.waitForTimeout(100);
}

const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));

/** Runs in the page. Each call is answered when the SDK says that it was delivered. */
async function runSegment({ settings, options, calls, waits, oneByOne }) {
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

/** Runs in the page. RudderStack's SDK says nothing of delivery: each call is answered when it was taken. */
async function runRudder({ key, host, options, calls }) {
  if (!globalThis.rudder) {
    globalThis.rudder = new rudderanalytics.RudderAnalytics();
    await new Promise((resolve) => {
      rudder.load(key, host, options);
      rudder.ready(resolve);
    });
  }
  const make = {
    track: (one) => rudder.track(one.event, one.properties),
    page: (one) => rudder.page(one.category, one.name, one.properties),
    identify: (one) => rudder.identify(one.userId, one.traits),
    group: (one) => rudder.group(one.groupId, one.traits),
    alias: (one) => rudder.alias(one.userId, one.previousId),
  };
  for (const one of calls) make[one.call](one);
  return rudder.getAnonymousId();
}

/** Runs in the page. PostHog's SDK collects events and sends them a little later. */
async function runPostHog({ key, options, calls }) {
  if (!globalThis.posthog?.__loaded) await new Promise((loaded) => posthog.init(key, { ...options, loaded }));
  const make = {
    capture: (one) => posthog.capture(one.event, one.properties),
    identify: (one) => posthog.identify(one.distinctId, one.set, one.setOnce),
    alias: (one) => posthog.alias(one.alias, one.distinctId),
    group: (one) => posthog.group(one.groupType, one.groupKey, one.properties),
  };
  const before = posthog.get_distinct_id();
  for (const one of calls) make[one.call](one);
  return before;
}

const run = { segment: runSegment, rudder: runRudder, posthog: runPostHog }[sdk];
const told = { key, host, settings, options };
let anonymousId = null;
try {
  await page.goto(`${origin}/home?utm_source=letter&utm_campaign=spring`);
  anonymousId = await page.evaluate(run, { ...told, calls, waits: true, oneByOne });
  if (sdk !== "segment") await settled();
  if (leaving.length) {
    // What is called right before a page goes away.
    await page.evaluate(run, { ...told, calls: leaving, waits: false });
    await page.goto(`${origin}/next`);
    await page.evaluate(run, { ...told, calls: [], waits: true });
    await page.waitForTimeout(1500);
  }
  if (sdk !== "segment") {
    await page.close({ runBeforeUnload: false });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
} finally {
  await browser.close();
  site.close();
}
process.stdout.write(JSON.stringify({ errors, anonymousId, origin }));
