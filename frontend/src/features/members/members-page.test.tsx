import { openPage } from "@/test/open-page";
import { answers, service } from "@/test/service";
import { screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const TIME = "2026-11-20T09:15:02.123456Z";

test("an invitation is revoked at once, after it was asked for", async () => {
  let invitations = [{ id: "i1", email: "ben@example.org", role: "viewer", invited_by: "ana@example.org", created_at: TIME, expires_at: TIME }];
  service.use(
    answers.get("/members", { members: [] }),
    http.get("*/api/v1/invitations", () => HttpResponse.json({ invitations })),
    http.delete("*/api/v1/invitations/:id", () => {
      invitations = [];
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const { user } = openPage("/members");
  await user.click(await screen.findByRole("button", { name: "Revoke the invitation of ben@example.org" }));
  expect(await screen.findByRole("heading", { name: "Revoke the invitation of ben@example.org?" })).toBeInTheDocument();
  expect(invitations).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(invitations).toHaveLength(0));
  expect(await screen.findByText("Invitation revoked")).toBeInTheDocument();
  expect(screen.queryByText("ben@example.org")).toBeNull();
  expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
});
