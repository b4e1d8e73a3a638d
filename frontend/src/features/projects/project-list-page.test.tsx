import { openPage } from "@/test/open-page";
import { answers, service, session } from "@/test/service";

import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

test.each([
  ["owner", "Name your project"],
  ["admin", "Name your project"],
  ["editor", "Projects"],
  ["viewer", "Projects"],
] as const)("without a project the start page leads %s to %s", async (role, heading) => {
  service.use(answers.get("/auth/me", { ...session, user: { ...session.user, role } }), answers.get("/projects", { projects: [] }));
  openPage("/");
  expect(await screen.findByRole("heading", { level: 1, name: heading })).toBeInTheDocument();
  if (heading === "Projects") expect(await screen.findByText(/An admin of your organization can make one/)).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: /New project|Create a project/ })).toBeNull();
});

test.each([
  ["admin", ["Members", "Audit log", "System"]],
  ["editor", ["Members"]],
] as const)("the pages of the organization that %s may read: %s", async (role, places) => {
  service.use(answers.get("/auth/me", { ...session, user: { ...session.user, role } }));
  openPage("/projects");
  await screen.findByRole("heading", { level: 1, name: "Projects" });
  const links = screen.getAllByRole("link").map((link) => link.textContent);
  expect(links.filter((name) => ["Members", "Audit log", "System"].includes(name ?? ""))).toEqual(expect.arrayContaining([...places]));
  expect(links.includes("System")).toBe(places.length > 1);
  expect(links.includes("New project")).toBe(role === "admin");
});
