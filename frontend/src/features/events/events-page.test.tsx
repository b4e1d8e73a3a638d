import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const ADDRESS = `/p/${PROJECT_ID}/events`;
const row = (at: number) => ({
  id: `e${at}`, created_at: `2026-11-20T09:00:${String(at).padStart(2, "0")}.000000Z`, received_at: "2026-11-20T09:01:00.000000Z",
  event_type: at % 2 ? "buy" : "view", user_id: "ann", anonymous_id: null, url: null, "properties.price": at,
});

/** Answers every question about events with these, and writes down what was asked. */
function eventsAnswered(rows: object[], asked: URLSearchParams[] = []): URLSearchParams[] {
  service.use(
    answers.get("/analytics/properties", { properties: [{ name: "price", filter: "price", events: 9, types: ["number"], last_seen: "" }], columns: [], rows_read: 1, is_complete: true, data_version: "1.1" }),
    http.get("*/api/v1/events", ({ request }) => {
      asked.push(new URL(request.url).searchParams);
      return HttpResponse.json({ events: rows, next_cursor: null, prev_cursor: null, data_version: "1.1" });
    }),
  );
  return asked;
}

test("asks what the address says, and shows a chosen property in its own column", async () => {
  const asked = eventsAnswered([row(2), row(1)]);
  openPage(`${ADDRESS}?event=buy&event=view&column=properties.price&person=ann&from=2026-11-01&to=2026-11-20&order=asc`);
  const table = await screen.findByRole("table", { name: "Events" });
  // Nothing is laid out here, so no row is in view: rows are judged in a real browser (tests/e2e).
  expect(table).toHaveAttribute("aria-rowcount", "3");
  expect(within(table).getByRole("columnheader", { name: "price" })).toBeInTheDocument();
  expect(asked[0]?.getAll("event_type")).toEqual(["buy", "view"]);
  expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({ start: "2026-11-01", end: "2026-11-20", order: "asc", user_id: "ann" });
  expect(asked[0]?.getAll("fields")).toContain("properties.price");
});

test("nothing fits: says so, and takes the filters away when asked", async () => {
  eventsAnswered([]);
  const { user, address } = openPage(`${ADDRESS}?event=nothing&person=ann`);
  await screen.findByRole("heading", { name: "No event fits" });
  await user.click(screen.getByRole("button", { name: "Remove all filters" }));
  expect(address()).toBe(ADDRESS);
});

test("a column is chosen from the properties that arrived and stands in the address", async () => {
  eventsAnswered([row(1)]);
  const { user, address } = openPage(`${ADDRESS}?column=url`);
  await screen.findByRole("table", { name: "Events" });
  await user.click(screen.getByRole("button", { name: "Columns" }));
  await user.click(await screen.findByRole("button", { name: /^price/ }));
  expect(address()).toBe(`${ADDRESS}?column=url&column=properties.price`);
  await user.click(screen.getByRole("button", { name: "Remove url" }));
  expect(address()).toBe(`${ADDRESS}?column=properties.price`);
});

test("a failure says what happened and tries again when asked", async () => {
  service.use(answers.problem("get", "/events", 504, { code: "query_timeout", title: "x", retryable: true }));
  const { user } = openPage(ADDRESS);
  const alert = await screen.findByRole("alert");
  eventsAnswered([row(1)]);
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("table", { name: "Events" })).toHaveAttribute("aria-rowcount", "2");
});
