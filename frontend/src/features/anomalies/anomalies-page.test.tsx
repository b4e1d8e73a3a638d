import type { AnomaliesAnswer } from "@/api/types";
import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const TIME = "2026-11-20T09:15:02.123456Z";
const makeAnswer = (over: Partial<AnomaliesAnswer>): AnomaliesAnswer =>
  ({
    date_range: { start: "2026-10-22", end: "2026-11-20" },
    timezone: "UTC",
    semantics: "iafa",
    semantics_version: 1,
    data_version: "1.1",
    as_of: TIME,
    rows_read: 10,
    elapsed_ms: 4,
    measure: "events",
    sensitivity: "medium",
    threshold: 4,
    days_judged: 28,
    findings_total: 0,
    findings: [],
    days_without_data: [],
    series: [{ event_type: "purchase", is_judged: true, text: null, buckets: [] }],
    ...over,
  }) as AnomaliesAnswer;

const open = (over: Partial<AnomaliesAnswer>) => {
  service.use(http.post("*/api/v1/analytics/anomalies", () => HttpResponse.json(makeAnswer(over))));
  return openPage(`/p/${PROJECT_ID}/anomalies`);
};

test("an unusual day is told in words, says how far off it was, and leads to its events", async () => {
  const text = '"buy & pay" fell to 2 on 19 November 2026; 4 to 48 were expected for a Thursday';
  const finding = { event_type: "buy & pay", bucket: "2026-11-19", measure: "events", value: 2, expected: 20, low: 4, high: 48, score: -4.81, direction: "down", text } as const;
  open({ findings_total: 1, findings: [finding], days_without_data: [{ bucket: "2026-11-10", text: "No data arrived on 10 November 2026" }] });
  expect(await screen.findByText(text)).toBeInTheDocument();
  expect(screen.getByText(/^4\.8 times the usual deviation below what was expected/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "See the events of this day" })).toHaveAttribute("href", `/p/${PROJECT_ID}/events?from=2026-11-19&to=2026-11-19&event=buy%20%26%20pay`);
  expect(screen.getByText("No data arrived on 10 November 2026")).toBeInTheDocument();
  expect(screen.getByText("28 complete days were judged.")).toBeInTheDocument();
});

test("that nothing is unusual and that nothing can be judged yet are two different things", async () => {
  open({});
  expect(await screen.findByRole("heading", { name: "Nothing unusual" })).toBeInTheDocument();
});

test("a short history is said to be one", async () => {
  open({ series: [{ event_type: "purchase", is_judged: false, text: "Not enough history", buckets: [] }] });
  expect(await screen.findByRole("heading", { name: "Not enough history yet" })).toBeInTheDocument();
});

test("a question that is refused is said in words and can be asked again", async () => {
  service.use(answers.problem("post", "/analytics/anomalies", 503, { code: "busy", title: "x", retryable: true }));
  const { user } = openPage(`/p/${PROJECT_ID}/anomalies`);
  const again = await screen.findByRole("button", { name: "Try again" });
  service.use(http.post("*/api/v1/analytics/anomalies", () => HttpResponse.json(makeAnswer({}))));
  await user.click(again);
  expect(await screen.findByRole("heading", { name: "Nothing unusual" })).toBeInTheDocument();
});
