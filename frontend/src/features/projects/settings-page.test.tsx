import type { Project, ProjectKey } from "@/api/types";
import { openPage } from "@/test/open-page";
import { answers, makeProject, PROJECT_ID, service, session } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

/** A service with one project that knows its version. */
function keepsProject(over: Partial<Project> = {}): { project: () => Project; elsewhere: (change: Partial<Project>) => void } {
  let project = makeProject(over);
  const change = (more: Partial<Project>): void => {
    project = { ...project, ...more, version: project.version + 1 };
  };
  service.use(
    http.get("*/api/v1/projects/:id", () => HttpResponse.json(project)),
    http.put("*/api/v1/projects/:id", async ({ request }) => {
      if (request.headers.get("If-Match") !== `"${project.version}"`) {
        return HttpResponse.json({ status: 412, code: "version_conflict", title: "x", detail: "changed" }, { status: 412 });
      }
      change((await request.json()) as Partial<Project>);
      return HttpResponse.json(project);
    }),
  );
  return { project: () => project, elsewhere: change };
}

const at = (section: string) => openPage(`/p/${PROJECT_ID}/settings?section=${section}`);
const save = () => screen.getByRole("button", { name: "Save changes" });

test("limits are saved as numbers, and an empty one is no limit", async () => {
  const kept = keepsProject({ rate_limit_per_minute: 1000, monthly_quota: 5 });
  const { user } = at("limits");
  const perKey = await screen.findByLabelText("Events a minute of one key");
  await user.clear(perKey);
  await user.clear(screen.getByLabelText("Events a month"));
  await user.type(screen.getByLabelText("Events a month"), "many");
  await user.click(save());
  expect(await screen.findByText("Enter a whole number above zero, or leave it empty.")).toBeInTheDocument();
  await user.clear(screen.getByLabelText("Events a month"));
  await user.type(screen.getByLabelText("Events a month"), "2 000 000");
  await user.click(save());
  await waitFor(() => expect(kept.project()).toMatchObject({ rate_limit_per_minute: null, monthly_quota: 2_000_000, version: 2 }));
});

test("what somebody else saved in the same section is told, and can be loaded", async () => {
  const kept = keepsProject();
  const { user } = at("retention");
  await user.type(await screen.findByLabelText("Days that events are kept"), "30");
  kept.elsewhere({ retention_days: 7 });
  await user.click(save());
  expect(await screen.findByText("Somebody else has changed these settings meanwhile.")).toBeInTheDocument();
  expect(screen.getByLabelText("Days that events are kept")).toHaveValue("30");
  await user.click(screen.getByRole("button", { name: "Load their version" }));
  expect(screen.getByLabelText("Days that events are kept")).toHaveValue("7");
  expect(kept.project().retention_days).toBe(7);
});

test("a change of another section is no conflict: both hold", async () => {
  const kept = keepsProject();
  const { user } = at("retention");
  await user.type(await screen.findByLabelText("Days that events are kept"), "30");
  kept.elsewhere({ monthly_quota: 9 });
  await user.click(save());
  await waitFor(() => expect(kept.project()).toMatchObject({ retention_days: 30, monthly_quota: 9 }));
});

test("the service's complaint about one origin stands beside it", async () => {
  keepsProject();
  service.use(
    http.put("*/api/v1/projects/:id", () =>
      HttpResponse.json({ status: 422, code: "validation_error", title: "x", errors: [{ pointer: "/allowed_origins/1", code: "x", message: "this is no origin" }] }, { status: 422 }),
    ),
  );
  const { user } = at("origins");
  await user.type(await screen.findByLabelText("Allowed origin"), "https://a.test{Enter}https://b.test{Enter}");
  await user.click(save());
  const rows = within(screen.getByRole("list", { name: "Allowed origin" })).getAllByRole("listitem");
  await waitFor(() => expect(rows[1]).toHaveTextContent("This is no origin."));
  expect(rows[0]).not.toHaveTextContent("origin.");
});

test("saving takes the origin that stands in the field, once it is one", async () => {
  const kept = keepsProject();
  const { user } = at("origins");
  const field = await screen.findByLabelText("Allowed origin");
  expect(save()).toBeDisabled();
  await user.type(field, "shop.test");
  await user.click(screen.getByRole("button", { name: "Add" }));
  expect(field).toHaveAccessibleDescription(/^Enter an origin with https/);
  expect(screen.queryByRole("list", { name: "Allowed origin" })).toBeNull();
  await user.click(save());
  expect(kept.project().version).toBe(1);
  expect(field).toHaveFocus();
  await user.clear(field);
  await user.type(field, "https://Shop.test/");
  expect(field).toHaveAccessibleDescription(/^Such as/);
  await user.click(save());
  await waitFor(() => expect(kept.project().allowed_origins).toEqual(["https://shop.test"]));
  await waitFor(() => expect(save()).toBeDisabled());
  expect(field).toHaveValue("");
});

test("the project's own domain is offered to an empty list", async () => {
  const kept = keepsProject({ domain: "shop.test" });
  const { user } = at("origins");
  await user.click(await screen.findByRole("button", { name: "Add https://shop.test" }));
  expect(screen.queryByRole("button", { name: "Add https://shop.test" })).toBeNull();
  await user.click(save());
  await waitFor(() => expect(kept.project().allowed_origins).toEqual(["https://shop.test"]));
});

test("a property typed but not added is removed all the same", async () => {
  const kept = keepsProject();
  const { user } = at("privacy");
  await user.type(await screen.findByLabelText("Properties that are removed"), "email, *password*");
  await user.click(save());
  await waitFor(() => expect(kept.project().privacy).toEqual({ ip: "hash", salt: "fixed", deny_properties: ["email", "*password*"] }));
});

test("a sampling rule is built in words and saved", async () => {
  const kept = keepsProject();
  const { user } = at("sampling");
  await user.click(await screen.findByRole("button", { name: "Add a rule" }));
  await user.type(screen.getByLabelText("From this source"), "web");
  expect(screen.getByText("Keeps 10.0% of all events from web")).toBeInTheDocument();
  await user.click(save());
  await waitFor(() => expect(kept.project().sampling).toEqual([{ rate: 0.1, by: "user", event_type: null, source: "web", window_seconds: 3600 }]));
});

test("a project is deleted only when its name was typed", async () => {
  let isDeleted = false;
  service.use(
    http.delete("*/api/v1/projects/:id", () => {
      isDeleted = true;
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const { user, address } = at("danger");
  await user.click(await screen.findByRole("button", { name: "Delete project" }));
  const dialog = within(screen.getByRole("dialog"));
  const button = dialog.getByRole("button", { name: "Delete project" });
  await user.type(dialog.getByLabelText("Type Shop to confirm"), "Sho");
  expect(button).toBeDisabled();
  await user.type(dialog.getByLabelText("Type Shop to confirm"), "p");
  await user.click(button);
  await waitFor(() => expect(address()).toBe("/projects"));
  expect(isDeleted).toBe(true);
});

test("a rotated key is shown, with the overlap that was chosen", async () => {
  const key: ProjectKey = { id: "k1", kind: "secret", name: "Server", prefix: "iafa_s_", last4: "x4Qz", created_at: "2026-11-20T09:15:02Z", expires_at: null, last_used_at: "2026-11-21T07:30:00Z", key: null };
  let body: unknown = null;
  service.use(
    answers.get("/projects/:id/keys", { keys: [key] }),
    http.post("*/api/v1/projects/:id/keys/k1/rotate", async ({ request }) => {
      body = await request.json();
      return HttpResponse.json({ ...key, id: "k2", key: "iafa_s_new" }, { status: 201 });
    }),
  );
  const { user } = at("keys");
  expect(await screen.findByText(/^last used /)).toBeInTheDocument();
  await user.click(await screen.findByRole("button", { name: "Rotate the key Server" }));
  await user.selectOptions(screen.getByLabelText("The old key works for another"), "7 days");
  await user.click(screen.getByRole("button", { name: "Make the new key" }));
  expect(await screen.findByLabelText("New key")).toHaveTextContent("iafa_s_new");
  expect(body).toEqual({ overlap_seconds: 604_800 });
});

test("a viewer reads the settings and changes nothing", async () => {
  service.use(answers.get("/auth/me", { ...session, user: { ...session.user, role: "viewer" } }));
  at("retention");
  expect(await screen.findByText("Your role may read these settings. Admins and owners change them.")).toBeInTheDocument();
  expect(screen.getByLabelText("Days that events are kept")).toBeDisabled();
  expect(screen.queryByRole("button", { name: "Save changes" })).toBeNull();
});
