import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test } from "vitest";
import { mayBeId, personEntries } from "./palette-found";

const person = (id: string, at: number) => ({
  entity: `h${at}`, user_id: id, anonymous_id: null, ids: { users: [id], anonymous: [] }, events: 1, first_seen: "2026-11-20T09:00:00Z", last_seen: "2026-11-20T09:00:00Z", last_event: "buy",
});

let asked: string[] = [];
let answered = Promise.resolve();

beforeEach(() => {
  asked = [];
  answered = Promise.resolve();
  const names = ["add_to_cart", "cart_seen", "cart_left", "cart_kept", "cart_lost", "buy"].map((name) => ({ name, count: 9, last_seen: "2026-11-20T09:00:00Z" }));
  service.use(
    answers.get("/boards", { boards: [] }),
    answers.get("/projects/:id/boards", { boards: [] }),
    http.get("*/api/v1/analytics/event-names", async ({ request }) => {
      const words = new URL(request.url).searchParams.get("q") ?? "";
      asked.push(`event ${words}`);
      await answered;
      return HttpResponse.json({ event_names: names.filter((one) => one.name.includes(words)), data_version: "1.1" });
    }),
    http.get("*/api/v1/projects/:id/people", ({ request }) => {
      asked.push(`person ${new URL(request.url).searchParams.get("search") ?? ""}`);
      return HttpResponse.json({ people: [person("user_12", 1), person("user_1", 2)], next_cursor: null, data_version: "1.1" });
    }),
  );
});

async function openPalette(address = `/p/${PROJECT_ID}/settings`) {
  const opened = openPage(address);
  await opened.user.click(await screen.findByRole("button", { name: /Search or jump to/ }));
  const field = await screen.findByRole("combobox", { name: "Search or jump to" });
  asked = [];
  return { ...opened, field };
}

const options = (): string[] => within(screen.getByRole("listbox")).getAllByRole("option").map((one) => one.textContent);

test("an event's name leads to its events and to its trend, over the days one looks at", async () => {
  const { user, field, address } = await openPalette(`/p/${PROJECT_ID}/events?range=90d`);
  await user.type(field, "add_to");
  await user.click(await screen.findByRole("option", { name: /Trend of add_to_cart/ }));
  await waitFor(() => expect(new URL(address(), "http://x").pathname).toBe(`/p/${PROJECT_ID}/trends`));
  expect(Object.fromEntries(new URL(address(), "http://x").searchParams)).toEqual({ range: "90d", q: '{"s":[{"e":"add_to_cart"}]}' });
});

test("what is chosen stays chosen when more is found above it", async () => {
  let answer = (): void => undefined;
  answered = new Promise((resolve) => (answer = resolve));
  const { user, field } = await openPalette();
  await user.type(field, "cart");
  await user.hover(screen.getByRole("option", { name: /Find people/ }));
  answer();
  await screen.findByRole("option", { name: /Events named cart_seen/ });
  const selected = within(screen.getByRole("listbox")).getByRole("option", { selected: true });
  expect(selected).toHaveTextContent("Find people");
  expect(field).toHaveAttribute("aria-activedescendant", selected.id);
});

test("by keys: arrows and enter lead to what was found", async () => {
  const { user, field, address } = await openPalette();
  await user.type(field, "cart");
  await screen.findByRole("option", { name: /Events named cart_seen/ });
  // Four names at most, each twice, and the search for people.
  expect(options()).toHaveLength(9);
  expect(screen.getByText("9 results")).toHaveAttribute("role", "status");
  await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/events?event=cart_left`));
});

test("nothing is asked for an empty palette, once for a word, and of people only what may be an id", async () => {
  const { user, field } = await openPalette();
  expect(asked).toEqual([]);
  await user.type(field, "cart");
  await screen.findByRole("option", { name: /Events named cart_seen/ });
  expect(asked.filter((one) => one.startsWith("person"))).toEqual([]);
  expect(asked).toContain("event cart");
  expect(asked).not.toContain("event car");
});

test("an id leads to the person, the exact one first", async () => {
  const { user, field, address } = await openPalette();
  await user.type(field, "user_1");
  await screen.findByRole("option", { name: /Open person user_12/ });
  expect(options().slice(0, 2)).toEqual(["Open person user_1Person", "Open person user_12Person"]);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/person?id=user_1`));
});

test.each([["user_1", true], ["ann@example.org", true], ["ab1", false], ["cart", false], ["new york 12", false]])("%s may be an id: %s", (words, may) => {
  expect(mayBeId(words)).toBe(may);
});

test("few people are shown", () => {
  const many = Array.from({ length: 50 }, (_none, at) => person(`u${at}`, at));
  expect(personEntries("p1", many, "u49").map((one) => one.name)).toEqual(["Open person u49", "Open person u0", "Open person u1", "Open person u2"]);
});
