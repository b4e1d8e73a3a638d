import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/overview`;
const frame = { project_id: PROJECT_ID, timezone: "UTC", semantics: "iafa", semantics_version: 1, data_version: "1", as_of: "2026-11-20T09:15:02Z", rows_read: 5, elapsed_ms: 1, interval: "day", receipt: null };
const figures = { sessions: 10, people: 8, events: 30, page_views: 20, bounces: 4, bounce_rate: 40, average_seconds: 90, median_seconds: 60, events_per_session: 3, views_per_session: 2 };
const before = { ...figures, people: 4, bounce_rate: 50 };
const range = { start: "2026-11-19", end: "2026-11-20" };

interface Question {
  filters: object[];
}

function filled(isOver = true): Question[] {
  const asked: Question[] = [];
  service.use(
    answers.get("/projects/:id/status", { events_total: 5, first_event_at: null, last_event_at: null, events_this_month: 5, monthly_quota: null, month_ends_at: "2026-12-01T00:00:00Z", data_version: "1" }),
    answers.get("/projects/:id/alerts", { alerts: [{ id: "a1", name: "<b>Silent</b>", status: "firing", text: "No events", changed_at: null }, { id: "a2", name: "Fine", status: "ok", text: "", changed_at: null }, { id: "a3", name: "Paused", status: "firing", is_paused: true, text: "No events", changed_at: null }] }),
    http.post("*/api/v1/analytics/overview", async ({ request }) => {
      asked.push((await request.json()) as Question);
      const buckets = [{ ...figures, bucket: "2026-11-19", is_incomplete: !isOver }];
      return HttpResponse.json({ ...frame, report: "overview", date_range: range, total: figures, buckets, present: { people: 3, page_views: 1, seconds: 300 }, pages: [{ page: "/a", views: 12, people: 6 }], lists: [], compare: { date_range: range, total: before, buckets } });
    }),
    http.post("*/api/v1/analytics/sessions", async ({ request }) => {
      const { breakdown } = (await request.json()) as { breakdown: string };
      const value = breakdown === "country" ? "AT" : "search";
      return HttpResponse.json({ ...frame, report: "sessions", date_range: range, total: figures, buckets: [], breakdown: { property: breakdown, groups: [{ ...figures, value, group: "value" }] }, compare: null });
    }),
  );
  return asked;
}

test("figures stand with what they were before, better or worse by their kind", async () => {
  filled();
  openPage(ADDRESS);
  const people = await screen.findByRole("region", { name: "People" });
  expect(people).toHaveTextContent("People8+100.0%4 before");
  expect(screen.getByRole("region", { name: "Bounce rate" })).toHaveTextContent("40.0%−10.0 pt50.0% before");
  expect(screen.getByRole("region", { name: "Bounce rate" }).querySelector(".text-positive")).not.toBeNull();
  expect(screen.getByRole("region", { name: "Visitors now" })).toHaveTextContent("31 page view in 5 min");
  expect(screen.getByRole("region", { name: "Session length" })).toHaveTextContent("1 min 30 s");
});

test("while the range is not over no change is better or worse", async () => {
  filled(false);
  openPage(ADDRESS);
  const people = await screen.findByRole("region", { name: "People" });
  expect(people).toHaveTextContent("People8+100.0%4 before");
  for (const name of ["People", "Bounce rate"]) expect(screen.getByRole("region", { name }).querySelector(".text-positive, .text-danger")).toBeNull();
});

test("a click on a row adds its filter to the address and asks anew", async () => {
  const asked = filled();
  const { user, address } = openPage(ADDRESS);
  await user.click(await screen.findByRole("button", { name: "/a" }));
  await waitFor(() => expect(asked.at(-1)?.filters).toEqual([{ property: "column:page", op: "eq", value: "/a" }]));
  expect(new URLSearchParams(address().split("?")[1]).get("filters")).toContain("column:page");
  const places = screen.getByRole("region", { name: "Places" });
  await user.click(await within(places).findByRole("button", { name: /Austria/ }));
  await waitFor(() => expect(asked.at(-1)?.filters).toHaveLength(2));
});

test("each list says how old its numbers are", async () => {
  filled();
  openPage(ADDRESS);
  for (const name of ["Pages", "Places"]) {
    const list = await screen.findByRole("region", { name });
    expect(await within(list).findByText("as of 09:15:02, live")).toBeInTheDocument();
  }
});

test("only alerts that fire and are not paused are shown", async () => {
  filled();
  openPage(ADDRESS);
  const alerts = await screen.findByRole("region", { name: "Alerts" });
  expect(await within(alerts).findByText("<b>Silent</b>")).toBeInTheDocument();
  expect(within(alerts).queryByText("Fine")).toBeNull();
  expect(within(alerts).queryByText("Paused")).toBeNull();
});

test("a project without events leads to the tracking code and asks for no report", async () => {
  openPage(ADDRESS);
  expect(await screen.findByRole("link", { name: "Get the tracking code" })).toHaveAttribute("href", `/p/${PROJECT_ID}/setup`);
  expect(screen.getByText(/If it is there already, the same page says why nothing arrives\.$/)).toBeInTheDocument();
});
