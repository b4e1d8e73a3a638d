import { openPage } from "@/test/open-page";
import { answers, FUNNEL_ID, makeAnswer, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/funnels/${FUNNEL_ID}`;
const ANSWER = "*/api/v1/analytics/funnel/:id";
const TIME = "2026-11-20T09:15:02.123456Z";
const LATER = "2026-11-20T09:17:02.123456Z";
const sure = { difference: 5, interval: [2, 8], p_value: 0.0004, is_significant: true, is_too_small: false, is_open: false };

beforeEach(() => {
  // jsdom lays nothing out, and of a list without a height no row is in sight.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(500);
});

const somebody = (index: number) => ({
  entity: `u${index}`,
  user_id: `u${index}`,
  anonymous_id: null,
  steps: 1,
  entry_time: TIME,
  last_event_time: LATER,
  is_open: index === 2,
  path: [{ stage: 1, stage_name: "View", event_id: "e1", time: TIME }],
});

const stopped = (entity: string, more: object = {}) => ({
  entity,
  user_id: entity,
  anonymous_id: null,
  status: "dropped",
  steps: 1,
  stages: 2,
  path: [],
  stopped_at: { stage: 2, stage_name: "Buy" },
  reasons: [{ stage: 2, stage_name: "Buy", event: { event_id: "e3", event_type: "buy", time: LATER }, causes: [], text: "buy came 2 days after the window closed" }],
  events: [
    { event_id: "e1", event_type: "view", time: TIME, matches: [1], matches_optional: [], matches_exclusions: [], failed_filters: [], fills: 1, fills_optional: null, is_own: true },
    {
      event_id: "e3",
      event_type: "buy",
      time: LATER,
      matches: [],
      matches_optional: [],
      matches_exclusions: [],
      failed_filters: [{ stage: 2, filter: { property: "plan", op: "eq", value: "pro" }, value: "free" }],
      fills: null,
      fills_optional: null,
      is_own: true,
    },
  ],
  events_total: 2,
  is_cut: false,
  data_version: "1.1",
  ...more,
});

function peopleAre(people: readonly object[], total = people.length, pages = 1): string[] {
  const asked: string[] = [];
  service.use(
    http.get("*/api/v1/analytics/funnel/:id/users", ({ request }) => {
      const search = new URL(request.url).searchParams;
      asked.push([search.get("stage"), search.get("kind"), search.get("open") && `open=${search.get("open")}`, search.get("cursor")].filter(Boolean).join(" "));
      const next = asked.length < pages ? `page ${asked.length + 1}` : null;
      const body = { stage: 2, kind: "dropped", total, people, next_cursor: next, has_changed: false, data_version: "1.1" };
      return HttpResponse.json(body);
    }),
    http.get("*/api/v1/analytics/funnel/:id/users/:person", ({ params }) => HttpResponse.json(stopped(String(params.person)))),
  );
  return asked;
}

test("from a drop to the people to one person and why: two clicks, all of it in the address", async () => {
  const asked = peopleAre([somebody(1), somebody(2)]);
  const { user, address } = openPage(ADDRESS);
  const [drop] = await screen.findAllByRole("button", { name: "150 people did not reach Buy, 75.0% of the stage before. Show them." });
  await user.click(drop ?? document.body);
  expect(address()).toBe(`${ADDRESS}?stage=2&side=dropped`);
  const list = await screen.findByRole("list", { name: "People" });
  expect(asked).toEqual(["2 dropped"]);
  await waitFor(() => expect(within(list).getAllByRole("button")[0]).toHaveTextContent("u1buy came 2 days after the window closed."));
  expect(within(list).getAllByRole("button")[1]).toHaveTextContent("u2still has time");
  expect(screen.getByRole("region", { name: "Stage: Buy" })).toHaveTextContent("150 (75.00%) of 200 people who reached View did not reach Buy.");

  await user.click(within(list).getAllByRole("button")[0] ?? document.body);
  expect(address()).toBe(`${ADDRESS}?stage=2&side=dropped&person=u1`);
  const person = await screen.findByRole("region", { name: "Person" });
  await within(person).findByText("Stopped before Buy.", { selector: "p.stranger" });
  const line = within(person).getAllByRole("listitem");
  expect(line[0]).toHaveTextContent("1view");
  expect(line[0]).toHaveTextContent("counts as stage 1");
  expect(person).toHaveTextContent("plan is pro: was free");
  expect(within(person).getByRole("link", { name: "Profile" })).toHaveAttribute("href", `/p/${PROJECT_ID}/person?id=u1`);
  // The panel has the events of the funnel alone; the log of those days has the others.
  const events = within(person).getByRole("link", { name: "All events then" }).getAttribute("href");
  expect(events).toMatch(new RegExp(`^/p/${PROJECT_ID}/events\\?person=u1&from=[\\d-]{10}&to=[\\d-]{10}&order=asc$`));
});

test.each([
  ["an anonymous id", "a/1", `/p/${PROJECT_ID}/person?id=a%2F1`],
  ["no id at all", null, null],
])("somebody with %s has a link to the profile if one can be opened", async (_id, anonymous_id, to) => {
  peopleAre([]);
  service.use(http.get("*/api/v1/analytics/funnel/:id/users/:person", () => HttpResponse.json(stopped("9f86", { user_id: null, anonymous_id }))));
  openPage(`${ADDRESS}?tab=people&person=9f86`);
  const person = await screen.findByRole("region", { name: "Person" });
  await within(person).findByText("Stopped before Buy.", { selector: "p.stranger" });
  expect(within(person).queryByRole("link", { name: "Profile" })?.getAttribute("href") ?? null).toBe(to);
});

test("a long list is asked for page by page, without one twice", async () => {
  const asked = peopleAre([somebody(1)], 3, 3);
  openPage(`${ADDRESS}?stage=1`);
  expect(await screen.findByText("3 reached View")).toBeInTheDocument();
  await waitFor(() => expect(asked).toEqual(["1 converted", "1 converted page 2", "1 converted page 3"]));
});

/** 200 came, 150 did not go on; 30 of them entered so recently that they still may. */
const halfOpen = makeAnswer([200, 50], { open: 30 });
halfOpen.stages = halfOpen.stages.map((stage) => ({ ...stage, users_max: stage.order === 1 ? 200 : 80 }));

test("a drop marks the column it stands in; those who left are told from those who have time, and paths go on from there", async () => {
  const asked = peopleAre([somebody(1), somebody(2)]);
  service.use(answers.get("/analytics/funnel/:id", halfOpen));
  const { user, address } = openPage(`${ADDRESS}?stage=2&side=dropped&range=7d`);
  const column = (order: number) => document.querySelector(`[data-order="${order}"]`);
  await screen.findByRole("list", { name: "People" });
  expect([column(1)?.getAttribute("aria-pressed"), column(2)?.getAttribute("aria-pressed")]).toEqual(["true", "false"]);
  expect(screen.getByRole("link", { name: "Paths after this drop" })).toHaveAttribute("href", `/p/${PROJECT_ID}/paths?way=drop&funnel=f1&stage=1&unit=user&range=7d`);
  expect(screen.getByRole("region", { name: "Stage: Buy" })).toHaveTextContent("30 of them still have time.");
  await user.click(screen.getByRole("radio", { name: "Left 120" }));
  await waitFor(() => expect(asked.at(-1)).toBe("2 dropped open=false"));
  await user.click(screen.getByRole("radio", { name: "Still has time 30" }));
  await waitFor(() => expect(asked.at(-1)).toBe("2 dropped open=true"));
  expect(await screen.findByText("2 not yet at Buy")).toBeInTheDocument();
  expect(address()).toBe(`${ADDRESS}?stage=2&side=dropped&range=7d&time=open`);
  await user.click(screen.getByRole("tab", { name: "Steps" }));
  const table = within(screen.getByRole("region", { name: "Stages" }));
  expect(table.getAllByRole("row")[2]).toHaveTextContent("2Buy5025.0%25.0%75.0%12030–");
  await user.click(table.getByRole("button", { name: "People" }));
  await user.click(table.getByRole("button", { name: "People" }));
  expect(address()).toContain("sort=people.up");
  expect(table.getAllByRole("rowheader").map((one) => one.textContent)).toEqual(["2Buy", "1View"]);
  await user.click(column(1) ?? document.body);
  expect(address()).toContain("stage=1");
  expect(address()).not.toMatch(/side=|time=/);
});

test("hatching has its legend; a range no longer than the window leads to one that is", async () => {
  service.use(answers.get("/analytics/funnel/:id", halfOpen));
  const { user, address } = openPage(`${ADDRESS}?range=7d`);
  expect(await screen.findByText("Hatched: people who still have time to go on.")).toBeInTheDocument();
  expect(screen.getByText(/^Within 7 days of entering people may still go on, and the range is no longer than that/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Show last 30 days" }));
  expect(address()).toBe(ADDRESS);
  await waitFor(() => expect(screen.queryByText(/^Within 7 days of entering/)).not.toBeInTheDocument());
});

test("nobody behind a number is told in words", async () => {
  peopleAre([]);
  openPage(`${ADDRESS}?stage=2&side=dropped`);
  expect(await screen.findByText("Nobody stopped here: everybody of the stage before went on.")).toBeInTheDocument();
});

test("groups come as a table with how sure each difference is; the property is in the address", async () => {
  const asked: string[] = [];
  const group = (value: string | null, people: number[], significance: object | null) => ({
    group: value === null ? "none" : "value",
    value,
    stages: makeAnswer(people).stages,
    overall_conversion_rate: (100 * (people[1] ?? 0)) / (people[0] ?? 1),
    significance,
  });
  service.use(
    answers.get("/analytics/properties", { properties: [], columns: [{ name: "device", filter: "column:device" }], rows_read: 1, is_complete: true, data_version: "1" }),
    http.get(ANSWER, ({ request }) => {
      const search = new URL(request.url).searchParams;
      if (search.get("include") !== "breakdown") return HttpResponse.json(makeAnswer([200, 50]));
      asked.push(`${search.get("breakdown")} ${search.get("attribution")}`);
      const groups = [group("phone", [150, 30], sure), group(null, [50, 20], { ...sure, is_significant: false, p_value: 0.4 })];
      return HttpResponse.json(makeAnswer([200, 50], { breakdown: { property: "column:device", attribution: "entry", adds_up: true, groups } } as object));
    }),
  );
  const { user, address } = openPage(`${ADDRESS}?tab=breakdown`);
  await user.click(await screen.findByRole("button", { name: "device" }));
  const table = await screen.findByRole("region", { name: "Conversion by device" });
  expect(address()).toBe(`${ADDRESS}?tab=breakdown&by=column%3Adevice`);
  const [, phone, none] = within(table).getAllByRole("row");
  expect(phone).toHaveTextContent("phone1503020.0%+5.0 ptclear difference");
  expect(none).toHaveTextContent("(not set)502040.0%+5.0 ptmay be chance");
  // Nothing is laid out here: words that are placed stay inside the table's own scrolling, and the field keeps a width.
  expect(within(table).getByText("clear difference").parentElement).toHaveClass("relative");
  expect(screen.getByRole("combobox", { name: "Break down by" }).closest("form")).toHaveClass("min-w-[min(16rem,100%)]");
  await user.selectOptions(screen.getByRole("combobox", { name: "Whose value counts" }), "Last known value");
  await waitFor(() => expect(asked).toEqual(["column:device entry", "column:device last_known"]));
  await user.click(screen.getByRole("radio", { name: "Funnels" }));
  expect(await screen.findByRole("heading", { name: "phone" })).toBeInTheDocument();
});

test("drivers: what was found stands out, what may be chance says so, and a factor opens as groups", async () => {
  const driver = (name: string, isFound: boolean) => ({
    kind: "property",
    at: "entry",
    name,
    op: "eq",
    value: "x",
    filter: { property: `property:${name}`, op: "eq", value: "x" },
    with_it: { people: 90, converted: 30, conversion_rate: 33.33 },
    without: { people: 110, converted: 20, conversion_rate: 18.18 },
    difference: 15.15,
    interval: [3.1, 26.9],
    odds_ratio: 2.25,
    odds_interval: [1.2, 4.3],
    p_value: 0.01,
    p_corrected: isFound ? 0.03 : 0.9,
    is_significant: isFound,
  });
  service.use(
    answers.get("/analytics/funnel/:id/drivers", {
      step: { people: 200, converted: 50, conversion_rate: 25, from_order: 1, from_name: "View", to_order: 2, to_name: "Buy", open: 0, left_out_open: 7 },
      landmark: { people: 100, converted: 20, conversion_rate: 20, seconds: 300 },
      lookback_seconds: 604_800,
      drivers: [driver("plan", true), { ...driver("plan", true), at: "stage", filter: { property: "column:plan", op: "eq", value: "x" } }, driver("country", false)],
      findings: 2,
      factors_tested: 3,
      factors_too_small: 3,
      factors_left_out: 0,
      left_out: [],
      correction: "holm",
      level: 0.05,
    }),
  );
  const { user, address } = openPage(`${ADDRESS}?tab=why`);
  const list = await screen.findByRole("list", { name: "Factors" });
  const [plan, country] = within(list).getAllByRole("listitem");
  expect(plan).toHaveTextContent("odds 2.3× higher (1.2 – 4.3)");
  expect(plan).not.toHaveTextContent("may be chance");
  expect(country).toHaveTextContent("may be chance");
  expect(within(list).getAllByRole("listitem")).toHaveLength(2);
  expect(screen.getByText(/2 of 3 tested factors .* listed once, the strongest of them\.$/)).toBeInTheDocument();
  expect(screen.getByText(/They are not causes/)).toBeInTheDocument();
  expect(screen.getByText(/7 more are left out/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "plan is x" }));
  expect(address()).toBe(`${ADDRESS}?tab=breakdown&by=property%3Aplan`);
});

test("open entries are drawn and said as bounds", async () => {
  const open = makeAnswer([200, 50], { open: 30 });
  const stages = open.stages.map((stage) => ({ ...stage, users_max: stage.order === 2 ? 80 : stage.users }));
  service.use(answers.get("/analytics/funnel/:id", { ...open, stages }));
  openPage(ADDRESS);
  const conversion = await screen.findByRole("region", { name: "Conversion" });
  expect(conversion).toHaveTextContent("25.0 – 40.0% open");
  expect(screen.getByRole("region", { name: "Entered" })).toHaveTextContent("30 still have time");
  expect(screen.getAllByText("up to 40.0%").length).toBeGreaterThan(0);
});

test("a comparison says the difference and whether it may be chance", async () => {
  const before = makeAnswer([100, 20]);
  const compare = { ...before, significance: { ...sure, is_significant: false } };
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([200, 50], { compare } as object)));
  const { user, address } = openPage(ADDRESS);
  const conversion = await screen.findByRole("region", { name: "Conversion" });
  expect(conversion).toHaveTextContent("+5.0 pt20.0% beforemay be chance");
  expect(within(conversion).getByText("+5.0 pt")).toHaveClass("text-ink-soft");
  const [, , buy] = screen.getAllByRole("row");
  expect(buy).toHaveTextContent("20+5.0 pt");
  await user.click(screen.getByRole("button", { name: "Change" }));
  expect(address()).toBe(`${ADDRESS}?sort=change`);
  expect(screen.getByRole("columnheader", { name: "Change" })).toHaveAttribute("aria-sort", "descending");
  expect(screen.getAllByRole("row")[1]).toHaveTextContent("Buy");
});

test("each step says whether its change is more than chance; only what is has a colour", async () => {
  const step = (order: number, is_significant: boolean) => ({ ...sure, from_order: order - 1, to_order: order, is_significant });
  const compare = { ...makeAnswer([100, 20, 10]), significance: sure, step_significance: [step(2, true), step(3, false)] };
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([200, 50, 20], { compare } as object)));
  openPage(ADDRESS);
  const table = within(await screen.findByRole("region", { name: "Stages" }));
  const [, view, buy, thanks] = table.getAllByRole("row");
  expect(view?.lastElementChild).toHaveTextContent(/^–$/);
  expect(buy?.lastElementChild).toHaveTextContent("+5.0 ptclearclear difference");
  expect(within(buy ?? document.body).getByText("+5.0 pt", { selector: ".text-positive" })).toBeInTheDocument();
  expect(thanks?.lastElementChild).toHaveTextContent("−10.0 ptchancemay be chance");
  expect(within(thanks ?? document.body).getByText("−10.0 pt")).toHaveClass("text-ink-soft");
});

test("the picture has the days compared with as lines with their rates and a legend; without a comparison it has none", async () => {
  const compare = makeAnswer([100, 20], { date_range: { start: "2026-10-01", end: "2026-10-07" } });
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([200, 50], { compare } as object)));
  openPage(`${ADDRESS}?layout=vertical`);
  const chart = await screen.findByRole("group", { name: "Conversion by stage" });
  expect(within(chart).getByRole("button", { name: /View/ })).toHaveTextContent("100 before");
  expect(within(chart).getByRole("button", { name: /2 ?Buy/ })).toHaveTextContent("25.0%20.0% before");
  expect(chart).toHaveTextContent("Line across: 1 – 7 Oct 2026, in percent of those who entered then.");
  expect(within(chart).getAllByTestId("before").map((line) => line.style.left)).toEqual(["calc(100% - 1px)", "calc(20% - 1px)"]);
});

test("what is not compared has no lines", async () => {
  openPage(`${ADDRESS}?compare=none`);
  const chart = await screen.findByRole("group", { name: "Conversion by stage" });
  expect(chart).not.toHaveTextContent(/before|Line across/);
});

test("only a clear difference is coloured as better or worse, and counts never are", async () => {
  service.use(answers.get("/analytics/funnel/:id", makeAnswer([200, 50], { compare: { ...makeAnswer([100, 20]), significance: sure } } as object)));
  openPage(ADDRESS);
  const conversion = await screen.findByRole("region", { name: "Conversion" });
  expect(within(conversion).getByText("+5.0 pt")).toHaveClass("text-positive");
  expect(within(screen.getByRole("region", { name: "Converted" })).getByText("+150.0%")).toHaveClass("text-ink-soft");
});

test("times: a histogram that can be read as a table, and each step", async () => {
  const step = { count: 50, average_s: 300, median_s: 90, p90_s: 3_600 };
  const times = { steps: [{ ...step, from_order: 1, to_order: 2 }], total: step, histogram: [{ from_s: 0, to_s: 1, count: 2 }, { from_s: 1, to_s: 10, count: 48 }] };
  service.use(
    http.get(ANSWER, ({ request }) => HttpResponse.json(makeAnswer([200, 50], (request.url.includes("include=times") ? { times } : {}) as object))),
  );
  const { user } = openPage(`${ADDRESS}?tab=times`);
  const table = await screen.findByRole("region", { name: "Times between the stages" });
  expect(within(table).getAllByRole("row")[1]).toHaveTextContent("View → Buy501 min 30 s5 min1 h");
  await user.click(screen.getByRole("radio", { name: "View as table" }));
  expect(screen.getByRole("row", { name: "1 – 10 s 48" })).toBeInTheDocument();
  expect(screen.getByRole("region", { name: "Median time" })).toHaveTextContent("1 min 30 s9 of 10 within 1 h");
});

test("the receipt has the statement, a command to run it and the notebook", async () => {
  const none = { count: 0, is_exact: true, reason: null };
  const receipt = {
    method: "sql",
    sql: "select 1",
    setup: "create view events as select 2",
    stands_alone: true,
    range: { from: null, to: null, read_from: null, read_to: null },
    files: [{ path: "p1/a.parquet", rows: 3, bytes: 1_000, xxh64: "00ff" }],
    tail_rows: 0,
    rows_read: 3,
    events_in_span: 3,
    events_in_range: 3,
    bots: 0,
    late_events: 0,
    events_after_as_of: 0,
    rejected: { ...none, by_code: {} },
    duplicates: none,
    conflicting_ids: none,
    as_of: TIME,
    identity_as_of: null,
    identity_files: [],
    identity_edges: 0,
    semantics: "iafa",
    semantics_version: 1,
    engine: "duckdb",
    engine_version: "2.0.0",
    iafa_version: "1",
  };
  service.use(http.get(ANSWER, ({ request }) => HttpResponse.json(makeAnswer([200, 50], (request.url.includes("receipt") ? { receipt } : {}) as object))));
  const { user } = openPage(ADDRESS);
  await user.click(await screen.findByRole("button", { name: "Receipt" }));
  const sheet = await screen.findByRole("dialog");
  expect(await within(sheet).findByText("p1/a.parquet")).toBeInTheDocument();
  expect(sheet).toHaveTextContent(`iafa sql ${PROJECT_ID} <<'IAFA_SQL'`);
  expect(within(sheet).getByRole("button", { name: "Download notebook" })).toBeInTheDocument();
});
