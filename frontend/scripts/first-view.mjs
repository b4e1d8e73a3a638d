// Measures what a visitor waits for on every main page, with the demo shop behind the real server, and what moves
// meanwhile: `node scripts/first-view.mjs [rounds] [data folder to keep] [page ...]`. Part of `make bench`.
//
// Cold: a browser that has loaded nothing before, and a server that has to compute, for an event has come in since the
// last question. Warm: the same browser opens the page again, and the server has its answers still. One line a page:
// the least and the median of all rounds. Times in ms since the address was entered; "page CPU" is what the page's main
// thread computed, which a busy machine does not lengthen.
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium, startDemo } from "./demo.mjs";

const WATCH = fileURLToPath(new URL("page-watch.js", import.meta.url));
const DESK = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };
const SHIFT_MAX = 0.02;
const GOALS_MS = { cold: 2000, warm: 1000 };
const QUIET_MS = 300;

if (!chromiumPath) {
  console.log(`SKIPPED the first view: ${noChromium}`);
  process.exit(0);
}
const [rounds = "3", kept, ...only] = process.argv.slice(2);

/** Of a session of its own, which the pages get as cookies. */
async function signedIn(browser, demo, options) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(20_000);
  await context.addInitScript({ path: WATCH });
  const answer = await context.request.post(`${demo.url}/api/v1/auth/login`, { data: { email: demo.email, password: demo.password } });
  if (!answer.ok()) throw new Error(await answer.text());
  return context;
}

async function ask(context, demo, method, path, data) {
  const answer = await context.request.fetch(`${demo.url}/api/v1${path}`, { method, ...(data && { data }) });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.json();
}

/** The pages of the demo's project; it gets a board of six cards. */
async function pagesOf(context, demo) {
  const { projects } = await ask(context, demo, "GET", "/projects");
  const { id } = projects[0];
  const { funnels } = await ask(context, demo, "GET", `/funnels?project_id=${id}`);
  const { keys } = await ask(context, demo, "GET", `/projects/${id}/keys`);
  const series = [{ event: "page_view", measure: "people" }];
  const kinds = [
    ["funnel", { funnel_id: funnels[0].id }],
    ["trends", { series, interval: "day" }],
    ["overview", { interval: "day" }],
    ["retention", { start: "page_view" }],
    ["paths", { depth: 4 }],
    ["note", { text: "Numbers of the week" }],
  ];
  const cards = kinds.map(([kind, question], at) => ({ x: 6 * (at % 2), y: 5 * Math.floor(at / 2), w: 6, h: 5, kind, question }));
  const board = await ask(context, demo, "POST", `/projects/${id}/boards`, { name: `Week ${Date.now()}`, range: { preset: "30d" }, cards });
  const base = `/p/${id}`;
  const pages = {
    "sign-in": "/sign-in",
    overview: `${base}/overview`,
    funnels: `${base}/funnels`,
    funnel: `${base}/funnels/${funnels[0].id}`,
    trends: `${base}/trends`,
    retention: `${base}/retention`,
    paths: `${base}/paths`,
    sessions: `${base}/sessions`,
    events: `${base}/events`,
    live: `${base}/live`,
    people: `${base}/people`,
    anomalies: `${base}/anomalies`,
    alerts: `${base}/alerts`,
    boards: `${base}/boards`,
    board: `${base}/boards/${board.id}`,
    quality: `${base}/quality`,
    setup: `${base}/setup`,
    settings: `${base}/settings`,
    projects: "/projects",
    members: "/members",
    audit: "/audit",
    system: "/system",
  };
  const key = keys.find((one) => one.kind === "write").key;
  const chosen = Object.entries(pages).filter(([name]) => only.length === 0 || only.includes(name));
  return { pages: chosen, key };
}

/** From now on no answer that the server has kept is the newest one. */
async function outdate(demo, key) {
  const answer = await fetch(`${demo.url}/api/v1/track`, {
    method: "POST",
    headers: { "X-API-Key": key, "Content-Type": "application/json" },
    body: JSON.stringify({ event_type: "page_view", user_id: "measured", url: "https://shop.example/" }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Opens an address in a tab of its own and tells what its visitor would feel. */
async function view(context, address) {
  const page = await context.newPage();
  const thread = await context.newCDPSession(page);
  await thread.send("Performance.enable", { timeDomain: "threadTicks" });
  let requests = 0;
  page.on("request", () => (requests += 1));
  await page.goto(address);
  await page.waitForFunction((quiet) => !window.pageWatch.isBusy() && performance.now() - window.pageWatch.settled > quiet, QUIET_MS).catch(async (error) => {
    throw new Error(`${address} does not come to rest: ${await page.evaluate("window.pageWatch.waitsFor()")}`, { cause: error });
  });
  await page.waitForLoadState("networkidle");
  const felt = await page.evaluate(() => {
    const scripts = performance.getEntriesByType("resource").filter((one) => /\.js$/.test(one.name));
    return { ...window.pageWatch, script: scripts.reduce((sum, one) => sum + one.transferSize, 0) };
  });
  const { metrics } = await thread.send("Performance.getMetrics");
  const cpu = 1000 * metrics.find((one) => one.name === "TaskDuration").value;
  await page.close();
  return { ...felt, cpu, requests, shift: felt.shifts.reduce((sum, one) => sum + one.value, 0) };
}

const median = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
const spread = (views, name) => {
  // The browser does not tell a paint of a tab that it has not drawn.
  const numbers = views.map((one) => one[name]).filter((number) => number > 0);
  if (numbers.length === 0) return "-";
  return `${Math.round(Math.min(...numbers))}/${Math.round(median(numbers))}`;
};
const least = (views, name) => Math.min(...views.map((one) => one[name]));
const most = (views, name) => Math.max(...views.map((one) => one[name]));

function row(cells) {
  return cells.map((cell, at) => (at < 2 ? String(cell).padEnd(10) : String(cell).padStart(12))).join("");
}

const demo = await startDemo(kept);
const browser = await openChromium();
const missed = [];
try {
  const first = await signedIn(browser, demo, { viewport: DESK });
  const { pages, key } = await pagesOf(first, demo);
  await first.close();
  const seen = new Map(pages.map(([name]) => [name, { cold: [], warm: [], phone: [] }]));
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const [name, path] of pages) {
      const context = await signedIn(browser, demo, { viewport: DESK });
      if (name === "sign-in") await context.clearCookies();
      await outdate(demo, key);
      seen.get(name).cold.push(await view(context, demo.url + path));
      seen.get(name).warm.push(await view(context, demo.url + path));
      await context.close();
    }
  }
  for (const [name, path] of pages) {
    const context = await signedIn(browser, demo, { viewport: PHONE, isMobile: true, hasTouch: true });
    if (name === "sign-in") await context.clearCookies();
    await outdate(demo, key);
    for (let times = 0; times < 2; times += 1) seen.get(name).phone.push(await view(context, demo.url + path));
    await context.close();
  }
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, ${rounds} rounds; least/median in ms`);
  console.log(row(["page", "", "first paint", "largest", "numbers", "long tasks", "page CPU", "script kB", "requests", "shift desk", "shift phone"]));
  for (const [name, { cold, warm, phone }] of seen) {
    for (const [state, views] of [["cold", cold], ["warm", warm]]) {
      const shift = most(views, "shift");
      const moved = Math.max(shift, most(phone, "shift"));
      console.log(
        row([
          state === "cold" ? name : "",
          state,
          ...["paint", "largest", "settled", "busy_ms", "cpu"].map((what) => spread(views, what)),
          (least(views, "script") / 1000).toFixed(0),
          least(views, "requests"),
          shift.toFixed(4),
          state === "cold" ? most(phone, "shift").toFixed(4) : "",
        ]),
      );
      const waited = Math.max(least(views, "largest"), least(views, "settled"));
      if (waited > GOALS_MS[state]) missed.push(`${name} ${state}: ${Math.round(waited)} ms`);
      if (state === "cold" && moved > SHIFT_MAX) missed.push(`${name}: moved ${moved.toFixed(4)}`);
    }
    const [worst] = [...cold, ...warm, ...phone].flatMap((one) => one.shifts).toSorted((one, other) => other.value - one.value);
    if (worst && worst.value > SHIFT_MAX / 4) console.log(`    ${worst.value.toFixed(4)} at ${Math.round(worst.at)} ms: ${worst.moved.join("; ")}`);
  }
  console.log(missed.length === 0 ? "every page is within its goals" : `missed (cold ${GOALS_MS.cold} ms, warm ${GOALS_MS.warm} ms, shift ${SHIFT_MAX}):\n  ${missed.join("\n  ")}`);
} finally {
  await browser.close();
  await demo.stop();
}
