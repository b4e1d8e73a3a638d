/** A service with an account and a project, and people who are signed in to it without filling in the form each time. */
import { expect } from "vitest";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { openChromium } from "./chromium";
import { expectQuiet, newPerson, PASSWORD, type Person } from "./person";
import { startService, type Running } from "./service";

const OWNER = "owner@example.org";

export interface Shop {
  service: Running;
  browser: Browser;
  email: string;
  projectId: string;
  /** Key with which pages write. */
  key: string;
  /** Address of the project's pages. */
  base: string;
  /** A signed-in person, on `path` of the project where one is given. */
  enter: (path?: string, options?: BrowserContextOptions) => Promise<Person>;
  /** Asks the API as the owner. */
  ask: <Answer>(method: string, path: string, body?: object) => Promise<Answer>;
  send: (events: readonly object[]) => Promise<void>;
  close: () => Promise<void>;
}

async function answerOf(answer: Response): Promise<unknown> {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** `settings` are variables of the service's environment. */
export async function openShop(name: string, settings: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const [service, browser] = await Promise.all([startService(settings), openChromium()]);
  const close = async (): Promise<void> => {
    await browser.close();
    await service.stop();
  };
  try {
    return { service, browser, email: OWNER, close, ...(await furnish(service, browser, name)) };
  } catch (error) {
    await close();
    throw error;
  }
}

type Furnished = Omit<Shop, "service" | "browser" | "email" | "close">;

/** An account and a project, made over HTTP as a script would. */
async function furnish(service: Running, browser: Browser, name: string): Promise<Furnished> {
  let token = "";
  const ask = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    return (await answerOf(await fetch(`${service.url}/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) }))) as Answer;
  };
  const account = await ask<{ access_token: string }>("POST", "/auth/register", { full_name: "Ana Example", email: OWNER, password: PASSWORD });
  token = account.access_token;
  // The limit is for strangers; a test may send the events of weeks at once.
  const project = await ask<{ id: string; api_key: string }>("POST", "/projects", { name, timezone: "UTC", rate_limit_per_minute: null });
  const base = `${service.url}/p/${project.id}`;

  const enter = async (path?: string, options: BrowserContextOptions = {}): Promise<Person> => {
    const person = await newPerson(browser, { reducedMotion: "reduce", ...options });
    const signedIn = await person.context.request.post(`${service.url}/api/v1/auth/login`, { data: { email: OWNER, password: PASSWORD } });
    expect(signedIn.status()).toBe(200);
    if (path !== undefined) await person.page.goto(`${base}/${path}`);
    return person;
  };
  const send = async (events: readonly object[]): Promise<void> => {
    const headers = { "X-API-Key": project.api_key, "Content-Type": "application/json" };
    const answer = await fetch(`${service.url}/api/v1/track/batch`, { method: "POST", headers, body: JSON.stringify({ events }) });
    const { accepted } = (await answerOf(answer)) as { accepted: number };
    if (accepted !== events.length) throw new Error(`${accepted} of ${events.length} events were accepted`);
  };
  return { projectId: project.id, key: project.api_key, base, ask, enter, send };
}

/** Ends a visit in which the browser must have had nothing to complain about. */
export async function leave(...people: Person[]): Promise<void> {
  expectQuiet(...people);
  await Promise.all(people.map((person) => person.context.close()));
}

/** Dragged as a hand does it: in steps, and past the places given. */
export async function drag(page: Page, from: Locator, ...places: readonly [dx: number, dy: number][]): Promise<void> {
  const box = await from.boundingBox();
  if (!box) throw new Error("there is nothing to drag");
  const at = { x: box.x + 5, y: box.y + 5 };
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  for (const [dx, dy] of places) await page.mouse.move(at.x + dx, at.y + dy, { steps: 8 });
  await page.mouse.up();
}
