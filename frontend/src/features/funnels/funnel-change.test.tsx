import { openPage } from "@/test/open-page";
import { answers, FUNNEL_ID, makeAnswer, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/funnels/${FUNNEL_ID}`;
const sure = { difference: 5, interval: [2, 8], p_value: 0.0004, is_significant: true, is_too_small: false, is_open: false };

/** 200, 100, 40 now; 100, 50, 40 before: only the second step changed by more than chance, the first is the bigger drop in people. */
const stepOf = (order: number, is_significant: boolean, p_value: number) => ({ ...sure, from_order: order - 1, to_order: order, is_significant, p_value });
const changedLater = makeAnswer([200, 100, 40], {
  compare: { ...makeAnswer([100, 50, 40]), significance: sure, step_significance: [stepOf(2, false, 0.6), stepOf(3, true, 0)] },
} as object);

test.each([
  ["the step that changed most clearly", changedLater, "", "2"],
  ["the step of the address", changedLater, "&step=1", "1"],
  ["the step that the service takes, when nothing is compared", makeAnswer([200, 100, 40]), "", null],
])("the Why view opens on %s", async (_which, answer, more, stage) => {
  const asked: (string | null)[] = [];
  service.use(
    answers.get("/analytics/funnel/:id", answer),
    http.get("*/api/v1/analytics/funnel/:id/drivers", ({ request }) => {
      asked.push(new URL(request.url).searchParams.get("stage"));
      return HttpResponse.json({ step: { people: 0, converted: 0, conversion_rate: 0, from_order: 1, from_name: "View", to_order: 2, to_name: "Buy", open: 0, left_out_open: 0 }, drivers: [], factors_tested: 0, findings: 0 });
    }),
  );
  const { address } = openPage(`${ADDRESS}?tab=why${more}`);
  await waitFor(() => expect(asked).toEqual([stage]));
  expect(await screen.findByRole("combobox", { name: "Step to explain" })).toHaveValue(stage ?? "1");
  expect(address()).toBe(`${ADDRESS}?tab=why${more}`);
});

test.each([
  ["to why the step changed that did", changedLater, "clear difference: show why Buy → Thanks changed", "?tab=why&step=2"],
  ["to the steps where none did by itself", makeAnswer([200, 50], { compare: { ...makeAnswer([100, 20]), significance: { ...sure, is_significant: false } } } as object), "may be chance: show each step", ""],
])("the verdict of a comparison leads %s", async (_where, answer, name, to) => {
  service.use(
    answers.get("/analytics/funnel/:id", answer),
    answers.problem("get", "/analytics/funnel/:id/drivers", 404, { code: "not_found", title: "x", retryable: false }),
  );
  const { user, address } = openPage(`${ADDRESS}?tab=trend`);
  const conversion = within(await screen.findByRole("region", { name: "Conversion" }));
  await user.click(conversion.getByRole("button", { name }));
  expect(address()).toBe(`${ADDRESS}${to}`);
  expect(screen.getByRole("tab", { selected: true })).toHaveTextContent(to === "" ? "Steps" : "Why");
});

test.each(["horizontal", "vertical"])("the picture (%s) marks the step that changed by more than chance, and no other", async (layout) => {
  service.use(answers.get("/analytics/funnel/:id", changedLater));
  openPage(`${ADDRESS}?layout=${layout}`);
  const chart = within(await screen.findByRole("group", { name: "Conversion by stage" }));
  const marks = chart.getAllByTitle(/clear difference to the days before/);
  // Rows are there for a phone beside the columns.
  expect(marks).toHaveLength(layout === "horizontal" ? 2 : 1);
  for (const mark of marks) {
    expect(mark).toHaveTextContent("−40.0 pt, clear difference to the days before");
    expect(within(mark).getByText("−40.0 pt")).toHaveClass("text-danger");
  }
});

test("the axis of the conversion over time is in percent", async () => {
  const width = vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(600);
  const bucket = (day: string, rate: number) => ({ bucket: day, to: day, users: [10, 1], users_max: [10, 1], open: 0, overall_conversion_rate: rate });
  const trend = { interval: "day", adds_up: true, buckets: [bucket("2026-11-01", 20), bucket("2026-11-02", 40)] };
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([200, 50], { trend } as object)));
  openPage(`${ADDRESS}?tab=trend`);
  const chart = await screen.findByRole("group", { name: /over time, by the time of entry/ });
  const ticks = () => [...chart.querySelectorAll(".recharts-yAxis-tick-labels text")].map((one) => one.textContent);
  await waitFor(() => expect(ticks().length).toBeGreaterThan(1));
  expect(ticks().every((tick) => tick?.endsWith("%"))).toBe(true);
  width.mockRestore();
});
