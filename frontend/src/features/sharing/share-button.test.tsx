import type { Share } from "@/api/saved-types";
import { makeQueryClient, Providers } from "@/app/providers";
import { answers, PROJECT_ID, service } from "@/test/service";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterEach, expect, test, vi } from "vitest";
import { OPENED_POLL_MS } from "./queries";
import { ShareSheet } from "./share-button";

const share = {
  id: "s1",
  target_id: "b1",
  label: "The directors",
  token_end: "k3f9",
  is_expired: false,
  expires_at: null,
  has_password: false,
  choosable_days: null,
  opened: 0,
  last_opened_at: null,
} as Share;

function openSheet() {
  render(
    <Providers client={makeQueryClient()}>
      <ShareSheet projectId={PROJECT_ID} kind="board" targetId="b1" name="Monday" onClose={() => undefined} />
    </Providers>,
  );
  return userEvent.setup();
}

test("a link is revoked at once, after it was asked for", async () => {
  let shares = [share];
  service.use(
    http.get("*/api/v1/projects/:id/shares", () => HttpResponse.json({ shares })),
    http.delete("*/api/v1/projects/:id/shares/:share", ({ params }) => {
      shares = shares.filter((one) => one.id !== params.share);
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const user = openSheet();
  await user.click(await screen.findByRole("button", { name: "Revoke The directors" }));
  expect(await screen.findByRole("heading", { name: "Revoke The directors?" })).toBeInTheDocument();
  expect(shares).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "Revoke link" }));
  await waitFor(() => expect(shares).toHaveLength(0));
  expect(await screen.findByText("Link revoked")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Revoke The directors" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
});

test("a link that could not be revoked is not said to be", async () => {
  service.use(
    answers.get("/projects/:id/shares", { shares: [share] }),
    http.delete("*/api/v1/projects/:id/shares/:share", () => HttpResponse.error()),
  );
  const user = openSheet();
  await user.click(await screen.findByRole("button", { name: "Revoke The directors" }));
  await user.click(await screen.findByRole("button", { name: "Revoke link" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(/cannot be reached/);
  expect(screen.queryByText("Link revoked")).toBeNull();
  expect(screen.getByRole("button", { name: "Revoke The directors" })).toBeInTheDocument();
});

afterEach(() => vi.useRealTimers());

function openedMeanwhile(): () => void {
  let opened = 0;
  service.use(http.get("*/api/v1/projects/:id/shares", () => HttpResponse.json({ shares: [{ ...share, opened, last_opened_at: opened ? new Date().toISOString() : null }] })));
  return () => (opened = 1);
}

test("that a link was opened shows while the list is in view", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const open = openedMeanwhile();
  openSheet();
  expect(await screen.findByText("never opened")).toBeInTheDocument();
  open();
  await act(() => vi.advanceTimersByTimeAsync(OPENED_POLL_MS));
  expect(await screen.findByText(/^opened once/)).toBeInTheDocument();
});

test("who comes back from the opened link sees it at once", async () => {
  const open = openedMeanwhile();
  openSheet();
  expect(await screen.findByText("never opened")).toBeInTheDocument();
  open();
  act(() => void document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  expect(await screen.findByText(/^opened once/, undefined, { timeout: 2_000 })).toBeInTheDocument();
});
