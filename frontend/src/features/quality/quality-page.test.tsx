import { makeQueryClient, Providers } from "@/app/providers";
import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi } from "vitest";
import type { Row } from "./queries";
import { RowSheet } from "./row-sheet";

const row: Row = {
  id: "j1-0-0",
  received_at: "2026-11-20T09:15:02Z",
  reason: "missing_identity",
  pointer: "/events/0/user_id",
  message: "send a user_id or an anonymous_id",
  event_id: "e1",
  event_type: "buy",
  source: "batch",
  body: '{"event_type":"buy","usr":"ann"}',
  replayed_at: null,
  is_replayable: true,
  not_replayable_because: null,
};
let asked: { dry_run: boolean; changes: unknown; ids?: string[]; filter?: unknown }[] = [];

beforeEach(() => {
  asked = [];
  service.use(
    answers.get("/projects/:id/quarantine", { rows: [row], is_complete: true, next_cursor: null }),
    http.post("*/api/v1/projects/:id/quarantine/replay", async ({ request }) => {
      asked.push((await request.json()) as (typeof asked)[number]);
      return HttpResponse.json({ accepted: 1, duplicates: 0, rejected: 0, results: [{ id: row.id, event_id: "e1", result: "accepted" }], not_found: [], next_cursor: null });
    }),
  );
});

/** The sheet of the row: a page without a layout has no rows in view to click. */
function openRow() {
  render(
    <Providers client={makeQueryClient()}>
      <RowSheet projectId={PROJECT_ID} row={row} timeZone="UTC" onClose={() => undefined} />
    </Providers>,
  );
  return userEvent.setup();
}

const open = () => openPage(`/p/${PROJECT_ID}/quality?tab=refused`);

test("the list says which member of the event is wrong, by its name alone", async () => {
  // jsdom lays nothing out, and of a list without a height no row is in sight.
  const height = vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(500);
  open();
  expect(await screen.findByText("user_id: send a user_id or an anonymous_id")).toBeInTheDocument();
  height.mockRestore();
});

test("an event is mended, tried and stored", async () => {
  const user = openRow();
  await screen.findByRole("button", { name: "Try" });
  const text = screen.getByLabelText("The event as it was sent");
  fireEvent.change(text, { target: { value: '{"event_type":"buy","user_id":"ann"}' } });
  await user.click(screen.getByRole("button", { name: "Try" }));
  expect(await screen.findByText("This would be stored.")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Replay" }));
  expect(await screen.findByText("Event stored")).toBeInTheDocument();
  const changes = { rename: {}, merge: { usr: null, user_id: "ann" } };
  expect(asked).toEqual([
    { ids: [row.id], changes, dry_run: true },
    { ids: [row.id], changes, dry_run: false },
  ]);
});

test("what is no JSON is told and not sent", async () => {
  const user = openRow();
  await screen.findByRole("button", { name: "Try" });
  fireEvent.change(screen.getByLabelText("The event as it was sent"), { target: { value: "[1" } });
  await user.click(screen.getByRole("button", { name: "Replay" }));
  expect(await screen.findByText(/^This is not JSON: /)).toBeInTheDocument();
  expect(asked).toEqual([]);
});

test("all of a reason are tried before they are replayed", async () => {
  const { user } = open();
  await user.selectOptions(await screen.findByLabelText("Reason"), "Nobody named");
  await user.click(await screen.findByRole("button", { name: "Mend and replay all" }));
  await user.selectOptions(screen.getByLabelText("Change"), "Move a member");
  await user.type(screen.getByLabelText("From"), "/usr");
  await user.type(screen.getByLabelText("To"), "/user_id");
  expect(screen.queryByRole("button", { name: "Replay them" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Try" }));
  expect(await screen.findByText("1 would be stored, 0 are duplicates, 0 stay refused.")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Replay them" }));
  await waitFor(() => expect(asked.map((one) => one.dry_run)).toEqual([true, false]));
  expect(asked[1]).toMatchObject({ filter: { reason: "missing_identity" }, changes: { rename: { "/usr": "/user_id" }, merge: {} } });
});

test.each([[{}], [{ missing_identity: 2 }]])("what was refused at the door is not counted here, and it is said where it is: %o", async (reasons) => {
  const totals = { stored: 5, bots: 0, duplicates: 0, invalid: 0, invalid_share: 0, replayed: 0, reasons };
  service.use(answers.get("/projects/:id/quality", { start: "2026-11-20", end: "2026-11-20", timezone: "UTC", is_complete: true, totals, days: [{ ...totals, date: "2026-11-20" }] }));
  openPage(`/p/${PROJECT_ID}/quality`);
  expect(await screen.findByText(/Requests refused at the door/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Why nothing arrives" })).toHaveAttribute("href", `/p/${PROJECT_ID}/setup`);
  expect(screen.queryByText("Every event of these days was stored.")).toBeNull();
});
