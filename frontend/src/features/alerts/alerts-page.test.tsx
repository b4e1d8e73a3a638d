import type { Alert } from "@/api/types";
import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const TIME = "2026-11-20T09:15:02.123456Z";
const makeAlert = (over: Partial<Alert>): Alert =>
  ({
    id: "a1",
    project_id: PROJECT_ID,
    name: "Purchases stopped",
    rule: { kind: "silence", event: "purchase", funnel_id: null, window_seconds: 86_400 },
    webhook_url: "https://hooks.example.org/iafa",
    interval_seconds: 300,
    is_paused: false,
    version: 1,
    status: "ok",
    text: "",
    checked_at: TIME,
    changed_at: null,
    is_waiting: false,
    deliveries: [],
    created_at: TIME,
    updated_at: TIME,
    ...over,
  }) as Alert;

const open = (alerts: readonly Alert[], search = "") => {
  service.use(answers.get("/projects/:id/alerts", { alerts }));
  return openPage(`/p/${PROJECT_ID}/alerts${search}`);
};
const names = (): (string | null)[] => screen.getAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);

test("what fires stands first, then what cannot be judged; paused rules stand last, whatever was found before", async () => {
  open([
    makeAlert({ id: "1", name: "Paused", status: "firing", is_paused: true }),
    makeAlert({ id: "2", name: "Fine", status: "ok" }),
    makeAlert({ id: "3", name: "New", status: "unknown" }),
    makeAlert({ id: "4", name: "Broken", status: "error", text: "the funnel is gone" }),
    makeAlert({ id: "5", name: "Second", status: "firing" }),
    makeAlert({ id: "6", name: "First", status: "firing" }),
  ]);
  await screen.findByRole("heading", { name: "Fine" });
  expect(names()).toEqual(["First", "Second", "Broken", "New", "Fine", "Paused"]);
  expect(screen.getByText("the funnel is gone")).toBeInTheDocument();
});

test("without rules the page says what they are for and leads to the form", async () => {
  const { user, address } = open([]);
  expect(await screen.findByRole("heading", { name: "Hear about it before your users tell you" })).toBeInTheDocument();
  await user.click(screen.getAllByRole("button", { name: "New alert" }).at(-1) as HTMLElement);
  expect(address()).toBe(`/p/${PROJECT_ID}/alerts?new=silence`);
  expect(screen.getByRole("radio", { name: /^Silence/ })).toBeChecked();
});

test("a list that cannot be loaded is said in words and can be asked for again", async () => {
  service.use(answers.problem("get", "/projects/:id/alerts", 503, { code: "busy", title: "x", retryable: true }));
  const { user } = openPage(`/p/${PROJECT_ID}/alerts`);
  const again = await screen.findByRole("button", { name: "Try again" });
  service.use(answers.get("/projects/:id/alerts", { alerts: [makeAlert({})] }));
  await user.click(again);
  expect(await screen.findByRole("heading", { name: "Purchases stopped" })).toBeInTheDocument();
});

test("a refused address is told beside its field, once, and what was typed stays", async () => {
  const errors = [{ pointer: "/webhook_url", code: "address_refused", message: "is not of the public Internet; see the setting IAFA_WEBHOOK_PRIVATE" }];
  service.use(answers.problem("post", "/projects/:id/alerts", 422, { code: "validation_error", title: "x", retryable: false, errors }));
  const { user } = open([], "?new=silence");
  expect(await screen.findByRole("textbox", { name: "Name" })).toHaveFocus();
  await user.keyboard("Quiet");
  await user.type(screen.getByRole("combobox", { name: "Event" }), "purchase");
  await user.type(screen.getByRole("textbox", { name: "Webhook address (optional)" }), "http://10.0.0.8/hook");
  await user.click(screen.getByRole("button", { name: "Save alert" }));
  expect(await screen.findByText("This address is not of the public Internet; see the setting IAFA_WEBHOOK_PRIVATE.")).toBeInTheDocument();
  expect(screen.getByRole("textbox", { name: "Webhook address (optional)" })).toHaveValue("http://10.0.0.8/hook");
  expect(screen.getAllByText(/public Internet/)).toHaveLength(1);
});

test("the key of a new rule is shown once and is gone when it is put away", async () => {
  service.use(http.post("*/api/v1/projects/:id/alerts", () => HttpResponse.json({ ...makeAlert({}), secret: "the-key-of-the-rule" }, { status: 201 })));
  const { user } = open([], "?new=silence");
  await user.type(await screen.findByRole("textbox", { name: "Name" }), "Quiet");
  await user.type(screen.getByRole("combobox", { name: "Event" }), "purchase");
  await user.type(screen.getByRole("textbox", { name: "Webhook address (optional)" }), "https://hooks.example.org/iafa");
  await user.click(screen.getByRole("button", { name: "Save alert" }));
  expect(await screen.findByText("the-key-of-the-rule")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "I have stored it" }));
  await waitFor(() => expect(screen.queryByText("the-key-of-the-rule")).toBeNull());
});

test("a message that could not be delivered says why, and when it is tried again", async () => {
  const waiting = { attempts: 2, detail: "the host has no address", next_at: "2026-11-20T09:20:00Z" };
  open([makeAlert({ webhook_url: "https://hooks.example.org/x", is_waiting: true, waiting })]);
  expect(await screen.findByText("A message could not be delivered (2 tries): the host has no address. Next try 20 Nov 2026, 09:20.")).toBeInTheDocument();
  expect(screen.queryByText(/waits to be delivered/)).toBeNull();
});
