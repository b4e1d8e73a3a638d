import { openPage } from "@/test/open-page";
import { answers, FUNNEL_ID, makeAnswer, makeFunnel, makeProject, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/funnels/${FUNNEL_ID}`;
const ANSWER = "*/api/v1/analytics/funnel/:id";

test("shows the numbers of the answer, not sums of its own", async () => {
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([90_400, 45_200, 452])));
  openPage(ADDRESS);
  const conversion = await screen.findByRole("region", { name: "Conversion" });
  expect(conversion).toHaveTextContent("0.5%");
  const [, view, buy, thanks] = screen.getAllByRole("row");
  expect(view).toHaveTextContent("View90,400100%");
  expect(buy).toHaveTextContent("Buy45,20050.0%50.0%50.0%45,200");
  expect(thanks).toHaveTextContent("Thanks4520.5%1.0%99.0%44,748");
  expect(screen.getByRole("region", { name: "Biggest drop-off" })).toHaveTextContent("−99.0%Buy → Thanks");
});

test("asks for the days the address says and for those before them", async () => {
  const asked: string[] = [];
  service.use(
    http.get(ANSWER, ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json(makeAnswer([200, 50]));
    }),
  );
  openPage(`${ADDRESS}?from=2026-10-08&to=2026-10-14`);
  await screen.findByRole("region", { name: "Conversion" });
  const days = "?start_date=2026-10-08&end_date=2026-10-14";
  await waitFor(() =>
    expect(asked.sort()).toEqual([
      `${days}&include=compare&compare_start=2026-10-01&compare_end=2026-10-07`,
      `${days}&include=times`,
      `${days}&include=trend&trend=day`,
    ]),
  );
});

test("this week is asked for from Monday on, and beside it the same weekdays of the week before", async () => {
  const asked: string[] = [];
  service.use(
    answers.get("/projects/:id", makeProject({ timezone: "Asia/Tokyo" })),
    http.get(ANSWER, ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json(makeAnswer([200, 50]));
    }),
  );
  // Sunday evening in London is Monday in Tokyo.
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-22T18:00:00Z") });
  openPage(`${ADDRESS}?range=week`);
  await screen.findByRole("region", { name: "Conversion" });
  vi.useRealTimers();
  expect(asked[0]).toBe("?start_date=2026-11-23&end_date=2026-11-23&include=compare&compare_start=2026-11-16&compare_end=2026-11-16");
  expect(screen.getByRole("button", { name: "Date range: This week" })).toBeInTheDocument();
});

test("a failure says what happened and tries again when asked", async () => {
  service.use(answers.problem("get", "/analytics/funnel/:id", 504, { code: "query_timeout", title: "x", retryable: true }));
  const { user } = openPage(ADDRESS);
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("This question took too long.");
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([10, 5])));
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("region", { name: "Entered" })).toHaveTextContent("10");
});

test("nobody in the range: says so and offers all data", async () => {
  service.use(
    http.get(ANSWER, ({ request }) => {
      const isAll = new URL(request.url).search === "";
      return HttpResponse.json(makeAnswer(isAll ? [7, 3] : [0, 0]));
    }),
  );
  const { user, address } = openPage(ADDRESS);
  await screen.findByText("Nobody entered this funnel");
  await user.click(screen.getByRole("button", { name: "Show all data" }));
  expect(await screen.findByRole("region", { name: "Entered" })).toHaveTextContent("7");
  expect(address()).toBe(`${ADDRESS}?range=all`);
});

const safari = { property: "column:browser", op: "eq", value: "Mobile Safari" } as const;

test("filters for all stages are said in words, however many and long they are", async () => {
  const long = { property: "plan", op: "eq", value: "x".repeat(300) } as const;
  const filters = [safari, { any_of: [safari, { property: "plan", op: "exists" } as const] }, long, safari, safari, safari];
  service.use(answers.get("/funnels/:id", makeFunnel({ filters })));
  openPage(ADDRESS);
  const [first] = await screen.findAllByText("browser is Mobile Safari");
  expect(first).toHaveClass("stranger");
  expect(first).toHaveAttribute("dir", "auto");
  const line = first?.closest("p");
  expect(line).toHaveTextContent(/^At all stages only events where browser is Mobile Safari and browser is Mobile Safari or plan is set and plan is x{72}… and browser is Mobile Safari and 2 more$/);
});

test.each([
  ["all stages", { filters: [safari] }, "The filters for all stages may fit no event."],
  ["the first stage", { stages: [{ name: "View", order: 1, event: "view", filters: [safari] }, { name: "Buy", order: 2, event: "buy" }] }, "The filters on the first stage may fit no event."],
  ["a later stage", { stages: [{ name: "View", order: 1, event: "view" }, { name: "Buy", order: 2, event: "buy", filters: [safari] }] }, ""],
])("nobody in the range: filters on %s are named where they may be why", async (_where, over, said) => {
  service.use(answers.get("/funnels/:id", makeFunnel(over)), answers.get("/analytics/funnel/:id", makeAnswer([0, 0])));
  openPage(ADDRESS);
  const text = await screen.findByText(/^No one did the first stage in/);
  expect(text).toHaveTextContent(new RegExp(`days\\. ?${said}$`));
});

test("a stage opens from the keyboard, lives in the address and closes with Escape", async () => {
  const { user, address } = openPage(ADDRESS);
  const [stage] = await screen.findAllByRole("button", { name: /View/, pressed: false });
  stage?.focus();
  await user.keyboard("{ArrowRight}");
  const panel = await screen.findByRole("region", { name: "Stage: Buy" });
  expect(panel).toHaveTextContent("50 reached this stage, 25.00% of all who entered. This is the last stage.");
  expect(address()).toBe(`${ADDRESS}?stage=2`);
  await user.keyboard("{Escape}");
  expect(address()).toBe(ADDRESS);
});

test("a funnel of another organization reads as missing, inside the frame", async () => {
  service.use(answers.problem("get", "/funnels/:id", 404, { code: "not_found", title: "x", retryable: false }));
  openPage(ADDRESS);
  expect(await screen.findByRole("alert")).toHaveTextContent("This does not exist.");
  expect(screen.getAllByRole("link", { name: "Funnels" }).length).toBeGreaterThan(0);
});
