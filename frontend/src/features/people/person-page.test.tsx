import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const TIME = "2026-11-20T09:15:02.123456Z";
const ID = "a/b c?<img>";
const ADDRESS = `/p/${PROJECT_ID}/person?id=${encodeURIComponent(ID)}`;
const PERSON = "*/api/v1/projects/:project/people/:id";
const erasure = (over: object = {}) => ({ erasure_id: "0f3c", status: "hidden", requested_at: TIME, done_at: null, rows_hidden: 7, removed: {}, ...over });
const profile = {
  entity: "9f", ids: { users: [ID], anonymous: ["a1"] }, events: 7, first_seen: TIME, last_seen: TIME, last_event: "buy",
  traits: [{ name: "plan", value: { tier: "pro" }, at: TIME }],
  identities: [{ event_id: "e", kind: "identify", user_id: ID, other: "a1", at: TIME, is_revoked: true }],
  values: { event_type: [{ value: "buy", events: 7 }] }, sessions: [], data_version: "1.1",
};

const known = () =>
  service.use(
    http.get(PERSON, () => HttpResponse.json(profile)),
    answers.get("/events", { events: [], next_cursor: null, prev_cursor: null, data_version: "1.1" }),
  );
const notFound = () => service.use(http.get(PERSON, () => HttpResponse.json({ status: 404, code: "not_found", title: "x" }, { status: 404 })));

test("shows what is known, whatever the id is made of", async () => {
  known();
  openPage(ADDRESS);
  await screen.findByRole("heading", { name: ID, level: 1 });
  expect(await screen.findByText('{"tier":"pro"}')).toBeInTheDocument();
  expect(screen.getByText("undone")).toBeInTheDocument();
  expect(screen.getByText(`a1 is ${ID}`)).toBeInTheDocument();
  expect(await screen.findByText("No event of this person fits.")).toBeInTheDocument();
});

test("is erased only when the id was typed, by an address that names it whole", async () => {
  known();
  const erased: string[] = [];
  service.use(
    http.delete("*/api/v1/projects/:project/people/:id", ({ request }) => {
      erased.push(new URL(request.url).pathname);
      notFound();
      service.use(answers.get("/projects/:id/erasures", { erasures: [erasure()] }));
      return HttpResponse.json(erasure());
    }),
  );
  const { user } = openPage(ADDRESS);
  await user.click(await screen.findByRole("button", { name: "Delete this person" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Delete for good" }));
  expect(within(dialog).getByText("This is not the id.")).toBeInTheDocument();
  expect(erased).toEqual([]);
  await user.type(within(dialog).getByRole("textbox"), ID);
  await user.click(within(dialog).getByRole("button", { name: "Delete for good" }));
  expect(await screen.findByRole("heading", { name: "This person was erased" })).toBeInTheDocument();
  expect(erased).toEqual([`/api/v1/projects/${PROJECT_ID}/people/${encodeURIComponent(ID)}`]);
  expect(screen.getByText("7 events left all answers at once")).toBeInTheDocument();
});

test.each([
  ["never seen", { erasures: [] }, "Nobody with this id"],
  ["erased", { erasures: [erasure({ status: "done", done_at: TIME, removed: { rows: 7, files: 2, refused: 0 } })] }, "This person was erased"],
])("somebody who is not there is told apart: %s", async (_what, answer, heading) => {
  notFound();
  service.use(answers.get("/projects/:id/erasures", answer));
  openPage(ADDRESS);
  expect(await screen.findByRole("heading", { name: heading })).toBeInTheDocument();
});

test("a device of several people leads to its events", async () => {
  service.use(http.get(PERSON, () => HttpResponse.json({ status: 409, code: "conflict", title: "x" }, { status: 409 })));
  openPage(ADDRESS);
  const link = await screen.findByRole("link", { name: "Events of this device" });
  expect(link.getAttribute("href")).toContain("anonymous_id");
});
