/** The tracker as the service serves it: what a page asks for, what is stored, what a project's settings change. */
import type { Browser, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openChromium, skipReason } from "./chromium";
import { expectQuiet, newPerson, WAIT_MS, type Person } from "./person";
import { startService, startSite, type Running } from "./service";

interface Project {
  id: string;
  api_key: string;
  secret_key: string;
}

describe.skipIf(!chromiumPath)(`tracker${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let service: Running;
  let browser: Browser;
  let token: string;

  const call = async <Answer>(path: string, body?: object, method = body ? "POST" : "GET"): Promise<Answer> => {
    const answer = await fetch(`${service.url}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };

  const makeProject = (name: string): Promise<Project> => call("/projects", { name, rate_limit_per_ip_per_minute: null });

  const stored = async (project: Project): Promise<Record<string, number>> => {
    const { event_names } = await call<{ event_names: { name: string; count: number }[] }>(
      `/analytics/event-names?project_id=${project.id}`,
    );
    return Object.fromEntries(event_names.map(({ name, count }) => [name, count]));
  };

  const hasStored = async (project: Project, name: string, count: number): Promise<void> => {
    await expect.poll(async () => (await stored(project))[name] ?? 0, { timeout: WAIT_MS }).toBe(count);
  };

  const requestsOf = (person: Person): string[] => {
    const seen: string[] = [];
    person.page.context().on("request", (request: Request) => {
      if (request.url().startsWith(service.url)) seen.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    return seen;
  };

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), openChromium()]);
    const registered = await fetch(`${service.url}/api/v1/auth/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: "t@example.org", password: "a long walk on the beach", full_name: "T" }),
    });
    ({ access_token: token } = (await registered.json()) as { access_token: string });
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const page = (tag: string): string => `<!doctype html><title>Page</title><link rel="icon" href="data:,">${tag}`;

  test("a page view is the script and one POST, and is stored; its engagement follows when the page is left", async () => {
    const project = await makeProject("one request");
    const tag = `<script defer src="${service.url}/tracker.js" data-key="${project.api_key}"></script>`;
    const site = await startSite({ "/": page(tag), "/next": page("") });
    const person = await newPerson(browser);
    const requests = requestsOf(person);
    await person.page.goto(`${site.url}/`);
    await person.page.waitForTimeout(2000);
    expect(requests).toEqual(["GET /tracker.js", `POST /e/${project.api_key}`]);
    await person.page.goto(`${site.url}/next`);
    await hasStored(project, "page_view", 1);
    await hasStored(project, "engagement", 1);
    expectQuiet(person);
    await person.context.close();
    await site.stop();
  });

  // Chromium ends a closing page's process after half a second, finished or not: on a machine that is busy with other
  // tests that may happen once. What a tracker loses, it loses in the second run, too.
  test("what is told in the last moment arrives: 15 of 15 navigations, 15 of 15 closed tabs", { retry: 2 }, async () => {
    const project = await makeProject("last moment");
    const tag = `<script defer src="${service.url}/t.js" data-key="${project.api_key}"></script>`;
    const bye = "<script>addEventListener('pagehide', () => iafa.track(location.hash.slice(1)))</script>";
    const site = await startSite({ "/": page(tag + bye), "/plain": page("") });
    const person = await newPerson(browser);
    for (let trial = 0; trial < 15; trial++) {
      for (const way of ["navigated", "closed"]) {
        const tab = await person.context.newPage();
        await tab.goto(`${site.url}/#${way}`);
        if (way === "navigated") await tab.goto(`${site.url}/plain`);
        await tab.close();
      }
    }
    await hasStored(project, "navigated", 15);
    await hasStored(project, "closed", 15);
    await hasStored(project, "page_view", 30);
    await person.context.close();
    await site.stop();
  });

  test("settings of the project are in its file: consent is asked for without a change to the page", async () => {
    const project = await makeProject("settings");
    await call(`/projects/${project.id}`, { tracker: { consent: "required", tag: "from the server" } }, "PUT");
    const site = await startSite({ "/": page(`<script defer src="${service.url}/t.js?key=${project.api_key}"></script>`) });
    const person = await newPerson(browser);
    const requests = requestsOf(person);
    await person.page.goto(`${site.url}/`);
    await person.page.waitForTimeout(1000);
    expect(requests).toEqual(["GET /t.js"]);
    expect(await person.page.evaluate(() => localStorage.length)).toBe(0);
    await person.page.evaluate("iafa.consent(true)");
    await hasStored(project, "page_view", 1);
    await person.context.close();
    await site.stop();
  });

  test("a script under its hash loads with integrity, compressed, and is kept for ever", async () => {
    const project = await makeProject("integrity");
    const { createHash } = await import("node:crypto");
    const answer = await fetch(`${service.url}/t.js`, { headers: { "Accept-Encoding": "br" } });
    expect(answer.headers.get("content-encoding")).toBe("br");
    const text = await answer.text();
    const digest = createHash("sha384").update(text);
    const name = `/t.${digest.copy().digest("hex").slice(0, 16)}.js`;
    const integrity = `sha384-${digest.digest("base64")}`;
    const tag = `<script defer src="${service.url}${name}" integrity="${integrity}" crossorigin data-key="${project.api_key}"></script>`;
    const site = await startSite({ "/": page(tag) });
    const person = await newPerson(browser);
    const loaded = person.page.waitForResponse((response) => response.url().endsWith(name));
    await person.page.goto(`${site.url}/`);
    expect((await loaded).headers()["cache-control"]).toContain("immutable");
    await hasStored(project, "page_view", 1);
    expectQuiet(person);
    await person.context.close();
    await site.stop();
  });

  test("identity is that of the moment, and a page without scripts counts by the image", async () => {
    const project = await makeProject("identity");
    const tag = `<script defer src="${service.url}/t.js" data-key="${project.api_key}"></script>`;
    const noscript = `<noscript><img src="${service.url}/e/${project.api_key}.gif" alt=""></noscript>`;
    const site = await startSite({ "/": page(tag + noscript) });
    const person = await newPerson(browser);
    await person.page.goto(`${site.url}/`);
    await person.page.evaluate("iafa.track('A'); iafa.identify('u1'); iafa.track('B'); iafa.reset(); iafa.track('C'); iafa.flush()");
    for (const name of ["A", "identify", "B", "C", "page_view"]) await hasStored(project, name, 1);
    const plain = await newPerson(browser, { javaScriptEnabled: false });
    await plain.page.goto(`${site.url}/`);
    await hasStored(project, "page_view", 2);
    await Promise.all([person, plain].map(({ context }) => context.close()));
    await site.stop();
  });
});
