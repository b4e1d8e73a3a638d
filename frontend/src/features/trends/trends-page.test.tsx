import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/trends`;
const TRENDS = "*/api/v1/analytics/trends";
const total = { value: 5, events: 5, source: "raw", is_exact: true };
const frame = { report: "trends", project_id: PROJECT_ID, timezone: "UTC", semantics: "iafa", semantics_version: 1, data_version: "1", as_of: "2026-11-20T09:15:02Z", rows_read: 5, elapsed_ms: 1, date_range: { start: "2026-11-19", end: "2026-11-20" } };

interface Question {
  series: { name: string }[];
  include: string[];
  format?: string;
}

/** Answers each series with the same numbers, and keeps what was asked. */
function trends(over: object = {}): Question[] {
  const asked: Question[] = [];
  service.use(
    http.post(TRENDS, async ({ request }) => {
      const question = (await request.json()) as Question;
      asked.push(question);
      const buckets = [{ date: "2026-11-19", from: "", to: "", is_incomplete: false }];
      const series = question.series.map((one) => ({ name: one.name, event_type: one.name, measure: "events", property: null, total: { ...total, ...over }, buckets: [{ ...buckets[0], ...total, ...over }] }));
      return HttpResponse.json({ ...frame, interval: "day", buckets, series, formulas: [], breakdown: null, data_from: "2026-11-19T00:00:00Z", compare: null });
    }),
  );
  return asked;
}

test("a series is added whole, and the address holds it", async () => {
  const asked = trends();
  const { user, address } = openPage(`${ADDRESS}?from=2026-11-19&to=2026-11-20`);
  await user.click(await screen.findByRole("button", { name: "Add series" }));
  const form = screen.getByRole("dialog", { name: "Add series" });
  await user.click(within(form).getByRole("button", { name: "Apply" }));
  expect(within(form).getByText("Choose an event.")).toBeInTheDocument();
  await user.type(within(form).getByRole("combobox", { name: "Event or page" }), "buy");
  await user.click(within(form).getByRole("button", { name: "Apply" }));
  expect(await screen.findByRole("rowheader", { name: "buy · events" })).toBeInTheDocument();
  expect(JSON.parse(new URLSearchParams(address().split("?")[1]).get("q") ?? "")).toEqual({ s: [{ e: "*", m: "people" }, { e: "buy" }] });
  expect(asked.at(-1)?.series.map((one) => one.name)).toEqual(["Any event · people", "buy · events"]);
});

test("a series of a name that no event has says so, and takes a name that may be meant", async () => {
  const asked = trends();
  const { user } = openPage(`${ADDRESS}?q=${encodeURIComponent('{"s":[{"e":"bui"}]}')}`);
  await user.click(await screen.findByRole("button", { name: "Use buy instead" }));
  await waitFor(() => expect(asked.at(-1)?.series.map((one) => one.name)).toEqual(["buy · events"]));
  expect(screen.queryByText(/^No event with this name/)).not.toBeInTheDocument();
});

test("removed days and samples are said beside the numbers", async () => {
  trends({ source: "removed", events_scaled: 50 });
  openPage(ADDRESS);
  expect(await screen.findByText(/show what is left/)).toBeInTheDocument();
  expect(screen.getByText(/about 50 in all/)).toBeInTheDocument();
  expect(screen.getByText("partly removed")).toBeInTheDocument();
});

test("without series nothing is asked", async () => {
  const asked = trends();
  openPage(`${ADDRESS}?q=${encodeURIComponent('{"s":[]}')}`);
  expect(await screen.findByText("Nothing is asked yet")).toBeInTheDocument();
  expect(asked).toEqual([]);
});

test("a refused formula is told in the service's words", async () => {
  service.use(answers.problem("post", "/analytics/trends", 422, { code: "invalid_query", title: "x", errors: [{ pointer: "/formulas/0", code: "bad", message: "divides by nothing" }] }));
  openPage(ADDRESS);
  expect(await screen.findByRole("alert")).toHaveTextContent("Divides by nothing.");
});
