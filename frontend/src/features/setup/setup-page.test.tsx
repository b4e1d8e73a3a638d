import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

test("waits, and turns green by itself when the first event is there", async () => {
  openPage(`/p/${PROJECT_ID}/setup`);
  expect(await screen.findByRole("heading", { name: "Waiting for the first event" })).toBeInTheDocument();
  const arrived = "2026-11-20T09:15:02Z";
  service.use(
    answers.get("/projects/:id/status", { events_total: 3, first_event_at: arrived, last_event_at: arrived, data_version: "1.1" }),
  );
  expect(await screen.findByRole("heading", { name: "Events are arriving" }, { timeout: 4_000 })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: /Build a funnel/ })).toHaveAttribute("href", `/p/${PROJECT_ID}/funnels/new?from=seen`);
});

test("the snippet is shown and copied exactly as the service gives it", async () => {
  const { user } = openPage(`/p/${PROJECT_ID}/setup`);
  const snippet = '<script defer src="http://127.0.0.1/tracker.js" data-key="iafa_w_key"></script>';
  expect(await screen.findByLabelText("Tracking snippet")).toHaveTextContent(snippet);
  await user.click(screen.getByRole("button", { name: "Copy snippet" }));
  expect(await navigator.clipboard.readText()).toBe(snippet);
});
