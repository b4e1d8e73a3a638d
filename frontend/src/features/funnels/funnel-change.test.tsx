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

const before = { start: "2026-09-22", end: "2026-10-21" };
const compared = { ...makeAnswer([100, 20]), date_range: before, significance: sure, step_significance: [] };

test("groups are compared with themselves in the days before, also where nobody came with a value then", async () => {
  const asked: string[] = [];
  const group = (value: string | null, people: number[], significance: object | null) => ({
    group: value === null ? "none" : "value",
    value,
    stages: makeAnswer(people).stages,
    overall_conversion_rate: (100 * (people[1] ?? 0)) / (people[0] || 1),
    significance,
  });
  service.use(
    http.get("*/api/v1/analytics/funnel/:id", ({ request }) => {
      const search = new URL(request.url).searchParams;
      if (!search.getAll("include").includes("breakdown")) return HttpResponse.json(makeAnswer([200, 50], { compare: compared } as object));
      asked.push(`${search.getAll("include").join("+")} ${search.get("compare_start")} ${search.get("compare_end")}`);
      const shape = { property: "column:device", attribution: "entry", adds_up: true };
      const then = [group("phone", [100, 30], { ...sure, difference: -10, is_significant: true }), group("watch", [0, 0], { ...sure, is_too_small: true }), group(null, [50, 10], { ...sure, is_significant: false })];
      const now = [group("phone", [150, 30], null), group("watch", [10, 9], null), group(null, [50, 11], null)];
      return HttpResponse.json(makeAnswer([200, 50], { breakdown: { ...shape, groups: now }, compare: { ...compared, breakdown: { ...shape, groups: then } } } as object));
    }),
  );
  const { user } = openPage(`${ADDRESS}?tab=breakdown&by=column%3Adevice`);
  const table = await screen.findByRole("region", { name: "Conversion by device" });
  expect(asked).toEqual(["breakdown+compare 2026-09-22 2026-10-21"]);
  const [head, phone, watch, none] = within(table).getAllByRole("row");
  expect(within(head ?? table).getAllByRole("columnheader").map((one) => one.textContent)).toEqual(["device", "Entered", "Converted", "Conversion", "Before", "Change", "Beside all others"]);
  expect(phone).toHaveTextContent("20.0%30.0%−10.0 ptclear difference");
  expect(within(phone ?? table).getByText("−10.0 pt")).toHaveClass("text-danger");
  expect(watch).toHaveTextContent("90.0%–––");
  expect(none).toHaveTextContent("22.0%20.0%+2.0 ptmay be chance");
  expect(within(none ?? table).getByText("+2.0 pt")).toHaveClass("text-ink-soft");
  await user.click(screen.getByRole("radio", { name: "Funnels" }));
  expect(await screen.findByTitle("30.00% in the days compared with.")).toHaveTextContent("−10.0 pt");
});

test("the course of a funnel has that of the days compared with behind it, asked for only where it is shown", async () => {
  const asked: string[] = [];
  const bucket = (day: string, users: number[]) => ({ bucket: day, from: `${day}T00:00:00Z`, to: `${day}T23:59:59Z`, users, users_max: users, open: 0, overall_conversion_rate: users[0] ? (100 * (users[1] ?? 0)) / users[0] : 0 });
  const trend = { interval: "day", adds_up: true, buckets: [bucket("2026-11-01", [100, 30]), bucket("2026-11-02", [0, 0]), bucket("2026-11-03", [100, 20])] };
  const then = { ...trend, buckets: [bucket("2026-10-01", [50, 20]), bucket("2026-10-02", [50, 0])] };
  service.use(
    http.get("*/api/v1/analytics/funnel/:id", ({ request }) => {
      const include = new URL(request.url).searchParams.getAll("include");
      if (include.includes("trend")) asked.push(include.join("+"));
      return HttpResponse.json(makeAnswer([200, 50], { trend, compare: { ...compared, ...(include.includes("trend") && { trend: then }) } } as object));
    }),
  );
  const { user } = openPage(ADDRESS);
  await screen.findByRole("region", { name: "Conversion" });
  await waitFor(() => expect(asked).toEqual(["trend"]));
  await user.click(screen.getByRole("tab", { name: "Trend" }));
  const panel = within(await screen.findByRole("tabpanel"));
  await waitFor(() => expect(asked).toEqual(["trend", "trend+compare"]));
  await user.click(await panel.findByRole("radio", { name: "View as table" }));
  const rows = await panel.findAllByRole("row");
  expect(rows.map((row) => within(row).getAllByRole(row === rows[0] ? "columnheader" : "cell").map((cell) => cell.textContent))).toEqual([
    ["Conversion", "22 Sept – 21 Oct 2026"],
    ["30.0%", "40.0%"],
    ["–", "0%"],
    ["20.0%", "–"],
  ]);
  await user.click(panel.getByRole("radio", { name: "People" }));
  expect(await panel.findByRole("columnheader", { name: "2. Buy, before" })).toBeInTheDocument();
});
