import type { Diagnosis } from "@/api/types";
import { openPage } from "@/test/open-page";
import { answers, diagnosis, makeFunnel, makeProject, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const ARRIVED = new Date().toISOString();
const received = { events_total: 3, first_event_at: ARRIVED, last_event_at: ARRIVED, events_this_month: 3, monthly_quota: null, month_ends_at: ARRIVED, data_version: "1.1" };

const blocked: Diagnosis["findings"][number] = {
  code: "blocked_origin",
  severity: "error",
  title: "Requests from https://shop.test are refused: the origin is not allowed",
  advice: "Add https://shop.test to the project's allowed origins.",
  count: 4,
  lately: 4,
  last_at: ARRIVED,
  samples: [{ at: ARRIVED, first_at: ARRIVED, count: 4, reason: "blocked_origin", origin: "https://shop.test", route: "/e/KEY" }],
};

const ticked = (): number => within(screen.getByRole("list", { name: "Get started" })).queryAllByLabelText("done").length;

test("waits, and turns green by itself when the first event is there", async () => {
  openPage(`/p/${PROJECT_ID}/setup`);
  expect(await screen.findByRole("heading", { name: "Waiting for the first event" })).toBeInTheDocument();
  expect(ticked()).toBe(1);
  service.use(answers.get("/projects/:id/status", received));
  expect(await screen.findByRole("heading", { name: "Events are arriving" }, { timeout: 4_000 })).toBeInTheDocument();
  expect(ticked()).toBe(3);
  expect(screen.getByRole("link", { name: /Build a funnel/ })).toHaveAttribute("href", `/p/${PROJECT_ID}/funnels/new?from=seen`);
});

test("the snippet is shown and copied exactly as the service gives it", async () => {
  const { user } = openPage(`/p/${PROJECT_ID}/setup`);
  const snippet = '<script defer src="http://127.0.0.1/tracker.js" data-key="iafa_w_key"></script>';
  expect(await screen.findByLabelText("Tracking snippet")).toHaveTextContent(snippet);
  await user.click(screen.getByRole("button", { name: "Copy snippet" }));
  expect(await navigator.clipboard.readText()).toBe(snippet);
  await waitFor(() => expect(ticked()).toBe(2));
});

test("options change the snippets at once, and are saved with the version they were read with", async () => {
  let sent: { version: string | null; body: unknown } | null = null;
  service.use(
    http.put("*/api/v1/projects/:id", async ({ request }) => {
      sent = { version: request.headers.get("If-Match"), body: await request.json() };
      return HttpResponse.json(makeProject({ version: 2, tracker: { ...makeProject().tracker, consent: "required" } }));
    }),
  );
  const { user } = openPage(`/p/${PROJECT_ID}/setup?options=open`);
  await user.selectOptions(await screen.findByLabelText("Consent"), "required");
  expect(screen.getByLabelText("Tracking snippet")).toHaveTextContent('src="http://127.0.0.1/t.js?key=iafa_w_key"');
  await user.click(screen.getByRole("button", { name: "Save changes" }));
  await waitFor(() => expect(sent).toMatchObject({ version: '"1"', body: { tracker: { consent: "required", build: "full", domains: [] } } }));
});

test("why nothing arrives is told, and the refused origin is allowed with one click", async () => {
  let body: unknown = null;
  service.use(
    answers.get("/projects/:id", makeProject({ allowed_origins: ["https://old.test"] })),
    answers.get("/projects/:id/diagnosis", { ...diagnosis, findings: [blocked] }),
    http.put("*/api/v1/projects/:id", async ({ request }) => {
      body = await request.json();
      return HttpResponse.json(makeProject({ version: 2 }));
    }),
  );
  const { user } = openPage(`/p/${PROJECT_ID}/setup`);
  expect(await screen.findByText(blocked.title)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Change the allowed origins" })).toHaveAttribute("href", `/p/${PROJECT_ID}/settings?section=origins`);
  await user.click(screen.getByRole("button", { name: "Allow https://shop.test" }));
  expect(await screen.findByText("https://shop.test may send events now")).toBeInTheDocument();
  expect(body).toEqual({ allowed_origins: ["https://old.test", "https://shop.test"] });
});

test("what was refused earlier and is not now is no error", async () => {
  const settled = { ...blocked, advice: "Add `https://shop.test`.", count: 4, lately: 0 };
  const wrongKey = { ...blocked, code: "unknown_key" as const, title: "Requests come with a key that is not known", count: 2, lately: 2 };
  const quiet = { ...blocked, code: "quiet" as const, severity: "warning" as const, title: "No event was stored in the last 15 minutes", advice: "`iafa doctor URL` looks at the page.", count: 0, lately: 0, samples: [] };
  service.use(answers.get("/projects/:id/diagnosis", { ...diagnosis, findings: [wrongKey, settled, quiet] }));
  openPage(`/p/${PROJECT_ID}/setup`);
  const item = async (title: string) => within((await screen.findByText(title)).closest("li") as HTMLElement);
  const earlier = await item(blocked.title);
  expect(earlier.getByText("Not in the last 15 minutes")).toBeInTheDocument();
  expect(earlier.getByText("4 in 24 hours")).toBeInTheDocument();
  expect(earlier.queryByText("Error")).toBeNull();
  expect((await item(wrongKey.title)).getByText("Error")).toBeInTheDocument();
  expect((await item("No event was stored in the last 15 minutes")).getByText("iafa doctor URL").tagName).toBe("CODE");
  // What a request brought is shown as it came.
  expect(earlier.getByText("Add `https://shop.test`.")).toBeInTheDocument();
});

test("a test event goes through the public door, and its refusal is told", async () => {
  let key: string | null = null;
  service.use(
    http.post("*/api/v1/track", ({ request }) => {
      key = request.headers.get("X-API-Key");
      return HttpResponse.json({ status: 403, code: "origin_not_allowed", title: "x", detail: "the origin is not allowed" }, { status: 403 });
    }),
  );
  const { user } = openPage(`/p/${PROJECT_ID}/setup`);
  await user.click(await screen.findByRole("button", { name: "Send a test event from here" }));
  expect(await screen.findByText("The test event was refused: the origin is not allowed")).toBeInTheDocument();
  expect(key).toBe("iafa_w_key");
});

test("the suggested funnel is made with one click", async () => {
  const definition = { project_id: PROJECT_ID, name: "view to buy", stages: makeFunnel().stages };
  const stage = (name: string, order: number, users: number) => ({ stage_name: name, order, users, users_max: users, conversion_rate: (100 * users) / 4, drop_off_rate: 0 });
  let made: unknown = null;
  service.use(
    answers.get("/projects/:id/status", received),
    answers.get("/analytics/funnel-suggestions", {
      templates: [],
      data_version: "1.1",
      funnels: [{ definition, stages: [stage("view", 1, 4), stage("buy", 2, 1)], overall_conversion_rate: 25, people_total: 4, open: 0 }],
    }),
    http.post("*/api/v1/funnels", async ({ request }) => {
      made = await request.json();
      return HttpResponse.json(makeFunnel(), { status: 201 });
    }),
  );
  const { user, address } = openPage(`/p/${PROJECT_ID}/setup`);
  expect(await screen.findByRole("heading", { name: "You have 2 kinds of events" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Create this funnel" }));
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/funnels/f1`));
  expect(made).toEqual(definition);
});
