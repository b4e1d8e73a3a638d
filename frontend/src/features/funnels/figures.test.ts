import type { Driver, Explanation, Funnel, FunnelAnswer, FunnelTrend } from "@/api/types";
import { describe, expect, test } from "vitest";
import { stagesCsv } from "./csv";
import { makeAnswer } from "@/test/service";
import { groupName } from "@/features/report/group-name";
import { eachFactorOnce, factorText, oddsText, placeOn, reach } from "./driver-math";
import { stageRows, type Stage } from "./funnel-math";
import { groupColor } from "./group-math";
import { sorted } from "./list-math";
import { allEventsOf, reasonInShort, timeline, waited } from "./person-math";
import { linesOf, pictureOf } from "./picture";
import { countSeries, notesAt, placesOf, possibleIntervals, rateSeries } from "./trend-math";

const stage = (order: number, users: number, users_max = users, name = `s${order}`): Stage => ({
  stage_name: name,
  order,
  users,
  users_max,
  conversion_rate: users,
  drop_off_rate: order === 1 ? 0 : 50,
});

describe("a person's time line", () => {
  const event = (id: string, type: string, over: object = {}) => ({
    event_id: id,
    event_type: type,
    time: `2026-11-20T09:00:0${id}Z`,
    matches: [],
    matches_optional: [],
    matches_exclusions: [],
    failed_filters: [],
    fills: null,
    fills_optional: null,
    is_own: true,
    ...over,
  });
  const explained = (events: object[], stopped = true) =>
    ({ events, stopped_at: stopped ? { stage: 2, stage_name: "Buy" } : null, reasons: [] }) as unknown as Explanation;
  const kinds = (items: ReturnType<typeof timeline>) => items.map((item) => (item.kind === "event" ? item.event.event_id : item.kind === "run" ? `${item.count}×${item.name}` : "stop"));

  test("repeats fold, what counts or explains never does, and the stop stands behind the last event that counted", () => {
    const events = [event("1", "view", { fills: 1 }), event("2", "scroll"), event("3", "scroll"), event("4", "scroll"), event("5", "scroll"), event("6", "buy", { failed_filters: [{}] }), event("7", "scroll")];
    expect(kinds(timeline(explained(events), true))).toEqual(["1", "stop", "4×scroll", "6", "7"]);
    expect(kinds(timeline(explained(events), false))).toEqual(["1", "stop", "2", "3", "4", "5", "6", "7"]);
  });
  test("all events of those days are in the log, by the days of the project", () => {
    const somebody = { user_id: null, anonymous_id: "a/1", events: explained([{ ...event("1", "view"), time: "2026-11-20T22:00:00Z" }, { ...event("2", "buy"), time: "2026-11-22T09:00:00Z" }]).events };
    expect(String(allEventsOf(somebody, "Asia/Tokyo"))).toBe("person=a%2F1&from=2026-11-21&to=2026-11-22&order=asc");
    expect(String(allEventsOf({ ...somebody, events: [] }, "UTC"))).toBe("person=a%2F1&range=all&order=asc");
    expect(allEventsOf({ ...somebody, anonymous_id: null }, "UTC")).toBeNull();
  });
  test("who converted has no stop; who never began stops at the end", () => {
    expect(kinds(timeline(explained([event("1", "view", { fills: 1 })], false), true))).toEqual(["1"]);
    expect(kinds(timeline(explained([event("1", "view")]), true))).toEqual(["1", "stop"]);
  });
  test("the reason in one line is the nearest miss and how many others there were", () => {
    const reason = (text: string) => ({ text }) as Explanation["reasons"][number];
    expect(reasonInShort({ ...explained([]), reasons: [reason("buy came late"), reason("x"), reason("y")] })).toBe("Buy came late. 2 more tries.");
    expect(reasonInShort(explained([]))).toBe("Stopped before Buy.");
    // The name of an event stays as it was sent; only words of ours begin with a capital.
    const named = (text: string) => ({ ...reason(text), event: { event_id: "e1", event_type: "checkout_start", time: "2026-11-20T09:15:02Z" } });
    expect(reasonInShort({ ...explained([]), reasons: [named("checkout_start came late")] })).toBe("checkout_start came late.");
    expect(reasonInShort({ ...explained([]), reasons: [named("no event came")] })).toBe("No event came.");
  });
  test("how long somebody took is from the first event of the path to its last", () => {
    const step = (time: string) => ({ stage: 1, stage_name: "a", event_id: "e", time });
    expect(waited({ path: [step("2026-11-20T09:00:00Z"), step("2026-11-20T09:01:30Z")] })).toBe(90);
    expect(waited({ path: [] })).toBe(0);
  });
});

describe("drivers", () => {
  const driver = (over: object): Driver => ({ name: "column:browser", op: "eq", value: "Safari", odds_ratio: 0.25, odds_interval: [0.2, 0.4], interval: [-9, -2], difference: -5, is_significant: true, ...over }) as Driver;
  test("are told with the odds above one, whichever way they go", () => {
    expect(factorText(driver({}))).toBe("browser is Safari");
    expect(factorText(driver({ op: "did", name: "search", value: null }))).toBe("did search");
    expect(oddsText(driver({}))).toBe("odds 4.0× lower (2.5 – 5.0)");
    expect(oddsText(driver({ odds_ratio: 2, odds_interval: [1.5, 3] }))).toBe("odds 2.0× higher (1.5 – 3.0)");
    expect(oddsText(driver({ odds_ratio: 0, odds_interval: [0, 1] }))).toBeNull();
  });
  test("of the same words are listed once, the strongest; what was done before and after are two", () => {
    const of = (kind: string, at: string, name: string, difference: number, value: string | null = "Safari") => driver({ kind, at, name, value, difference, op: value === null ? "did" : "eq" });
    const all = [of("property", "entry", "browser", -9), of("property", "stage", "browser", -8), of("event", "before", "search", 7, null), of("property", "stage", "column:browser", -6), of("event", "after", "search", 5, null), of("property", "entry", "browser", 4, "Firefox"), of("event", "before", "search", 3, null)];
    expect(eachFactorOnce(all).map((one) => one.difference)).toEqual([-9, 7, 5, 4]);
  });
  test("the scale holds every finding; wide intervals of chance do not stretch it", () => {
    expect(reach([driver({}), driver({ is_significant: false, interval: [-80, 90], difference: 3 })])).toBe(10);
    expect([placeOn(0, 10), placeOn(-10, 10), placeOn(99, 10)]).toEqual([50, 0, 100]);
  });
});

describe("trend", () => {
  const bucket = (day: string, users: number[], open = 0) => ({
    bucket: day,
    from: `${day}T00:00:00Z`,
    to: `${day}T23:59:59Z`,
    users,
    users_max: [users[0] ?? 0, (users[1] ?? 0) + open],
    open,
    overall_conversion_rate: 10,
  });
  const trend = { interval: "day", adds_up: false, buckets: [bucket("2026-11-01", [10, 1]), bucket("2026-11-02", [20, 2], 8)] } as FunnelTrend;
  test("open buckets are not over yet, and say how high they can get when asked", () => {
    expect(placesOf(trend)).toEqual([
      { label: "1 Nov", title: "1 Nov 2026" },
      { label: "2 Nov", title: "2 Nov 2026", isIncomplete: true },
    ]);
    expect(rateSeries(trend, false)).toHaveLength(1);
    expect(rateSeries(trend, true)[1]?.values).toEqual([null, 50]);
    expect(countSeries(trend, stageRows([stage(1, 30), stage(2, 3)])).map((one) => one.values)).toEqual([[10, 20], [1, 2]]);
  });
  test("hours are shown in the project's zone as the service says them", () => {
    const hours = { ...trend, interval: "hour", buckets: [{ ...bucket("x", [1, 1]), bucket: "2026-11-01T14:00:00+13:45" }] } as FunnelTrend;
    expect(placesOf(hours)[0]).toMatchObject({ label: "14:00", title: "1 Nov 2026, 14:00" });
  });
  test("a note stands at the bucket that holds its day; one beyond the range is left out", () => {
    const notes = [{ day: "2026-11-02", text: "release" }, { day: "2026-12-24", text: "later" }, { day: "2026-10-01", text: "before" }];
    expect(notesAt(trend, notes)).toEqual([{ at: 1, text: "release" }]);
  });
  test("the intervals keep to the service's bound", () => {
    const days = (start: string, end: string) => ({ start, end });
    expect(possibleIntervals(days("2026-10-01", "2026-10-31"))).toEqual(["hour", "day", "week", "month"]);
    expect(possibleIntervals(days("2020-01-01", "2026-10-31"))).toEqual(["week", "month"]);
    expect(possibleIntervals(days("2026-11-01", "2026-11-01"))).toEqual(["hour"]);
  });
});

test("a file of stages keeps hostile names inside their cell and has the days before", () => {
  const rows = stageRows([stage(1, 10), stage(2, 4, 6, '=HYPERLINK("x"),\n1')]);
  const before = { stages: [stage(1, 8), stage(2, 2)] } as never;
  expect(stagesCsv(rows, before).split("\r\n").slice(1)).toEqual(["1,s1,10,10,10,0,8,8", `2,"'=HYPERLINK(""x""),\n1",4,6,4,50,2,2`, ""]);
  for (const name of [" =1", "\u200b=1", "＝1", "\n1"]) expect(stagesCsv(stageRows([stage(1, 10, 10, name)]), null)).toContain(`'${name}`);
  expect(stagesCsv(rows, null).split("\r\n")[0]).toBe("order,stage,people,people_at_most,percent_of_entered,percent_lost_of_previous");
});

test("a picture is well-formed whatever a stage is called", () => {
  const palette = { surface: "#fff", ink: "#000", soft: "#333", line: "#999", from: "#88f", to: "#44f", flow: "#eef", danger: "#f00" };
  const rows = stageRows([stage(1, 10), stage(2, 4, 8, `<img src=x onerror="1">&'\u0001`)]);
  const { svg } = pictureOf(rows, { title: "</svg><script>", lead: "l", foot: "f" }, palette);
  expect(svg).not.toMatch(/<img|<script/);
  expect(svg.match(/<\/svg>/g)).toHaveLength(1);
  expect(svg).toContain("&#60;img src=x onerror=");
  expect([...svg].some((one) => (one.codePointAt(0) ?? 32) < 32 && one !== "\n")).toBe(false);
  expect(svg).toContain("url(#open)");
});

test("a picture has the days compared with as lines, their rates and a legend", () => {
  const palette = { surface: "#fff", ink: "#000", soft: "#333", line: "#999", from: "#88f", to: "#44f", flow: "#eef", danger: "#f00" };
  const rows = stageRows([stage(1, 100), stage(2, 40)]);
  const before = { days: { start: "2026-10-01", end: "2026-10-07" }, stages: [{ users: 5_000, share: 100, highest: 100 }, { users: 1_000, share: 20, highest: 30 }] };
  const [plain, drawn] = [pictureOf(rows, { title: "t", lead: "l", foot: "f" }, palette), pictureOf(rows, { title: "t", lead: "l", foot: "f" }, palette, before)];
  expect(plain.svg).not.toContain("before");
  for (const said of ["5,000 before", "20.0 – 30.0% before", "Line across: 1 – 7 Oct 2026, in percent of those who entered then; dotted, how high it may still get."]) expect(drawn.svg.replaceAll("\u2009", " ")).toContain(said);
  // 300 high from 432 up: the first stage is all of them, the second stands at a fifth and may rise to three tenths.
  expect([...drawn.svg.matchAll(/d="M\S+,([\d.]+) H\S+" stroke="#000"/g)].map((line) => line[1])).toEqual(["132", "372"]);
  expect(drawn.svg).toMatch(/,372 V342" stroke="#000" stroke-width="3" stroke-dasharray/);
});

test("groups that are no value have words and the grey colour", () => {
  expect([{ group: "none", value: null }, { group: "other", value: null }, { group: "value", value: "" }, { group: "value", value: "(none)" }].map((one) => groupName(one as never))).toEqual([
    "(not set)",
    "(other)",
    "(empty)",
    "(none)",
  ]);
  expect(groupColor({ group: "other" }, 0)).toBe("var(--series-8)");
  expect(groupColor({ group: "value" }, 7)).toBe("var(--series-1)");
});

test("cards sort by what was asked, those without numbers last, equal ones by name", () => {
  const funnel = (id: string, name: string, updated_at = "2026") => ({ id, name, updated_at }) as Funnel;
  const stagesOf = (entered: number, converted: number) => [{ users: entered }, { users: converted }];
  const answer = (rate: number, before: number | null) =>
    ({ stages: stagesOf(100 - rate, ((100 - rate) * rate) / 100), compare: before === null ? null : { stages: stagesOf(100, before) } }) as unknown as FunnelAnswer;
  const all = [funnel("a", "Zoo", "2027"), funnel("b", "Bar"), funnel("c", "Cat"), funnel("d", "Ant")];
  const answers = new Map([["a", answer(10, 5)], ["b", answer(30, 29)], ["c", answer(30, null)]]);
  const ids = (sort: Parameters<typeof sorted>[1]) => sorted(all, sort, answers).map((one) => one.id).join("");
  expect([ids("name"), ids("conversion"), ids("entered"), ids("change"), ids("updated")]).toEqual(["dbca", "bcad", "abcd", "abdc", "adbc"]);
});

test("cards sort by exact rates and changes: two that read the same are not the same", () => {
  const of = (entered: number, converted: number, enteredBefore: number, convertedBefore: number) =>
    ({ ...makeAnswer([entered, converted]), compare: makeAnswer([enteredBefore, convertedBefore]) }) as FunnelAnswer;
  // 4.001% after 3.996%, and 4.004% after 3.995%: all of them come as 4%, which is no change.
  const answers = new Map([["a", of(100_000, 4_001, 100_000, 3_996)], ["b", of(100_000, 4_004, 100_000, 3_995)], ["c", of(100, 3, 0, 0)]]);
  const all = ["a", "b", "c"].map((id) => ({ id, name: id, updated_at: "2026" }) as Funnel);
  expect(sorted(all, "change", answers).map((one) => one.id)).toEqual(["b", "a", "c"]);
  expect(sorted(all, "conversion", answers).map((one) => one.id)).toEqual(["b", "a", "c"]);
});

test("the line of a picture breaks between words, and what has no room is cut", () => {
  expect(linesOf("one two three four", 9, 3)).toEqual(["one two", "three", "four"]);
  expect(linesOf("one two three four", 9, 2)).toEqual(["one two", "three fo…"]);
  expect(linesOf("x".repeat(30), 9, 2)).toEqual([`${"x".repeat(8)}…`]);
});
