import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service, session } from "@/test/service";
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

const TIME = "2026-11-20T09:15:02Z";
const board = { id: "b1", project_id: PROJECT_ID, name: "Monday", range: null, cards: [], version: 1, created_at: TIME, updated_at: TIME };

test.each(["viewer", "editor"] as const)("what the service refuses a viewer is not offered: %s", async (role) => {
  service.use(
    answers.get("/auth/me", { ...session, user: { ...session.user, role } }),
    answers.get("/projects/:id/boards", { boards: [board] }),
    answers.get("/projects/:id/views", { views: [] }),
  );
  openPage(`/p/${PROJECT_ID}/boards?new=board`);
  expect(await screen.findByRole("link", { name: "Monday" })).toBeInTheDocument();
  const isOffered = role === "editor";
  expect(screen.queryAllByRole("button", { name: /New board|Actions for Monday|Create board/ }).length > 0).toBe(isOffered);
});
