import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service, session } from "@/test/service";
import { screen, waitFor } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, test } from "vitest";

let isSignedIn = false;
beforeEach(() => {
  isSignedIn = false;
  service.use(
    http.get("*/api/v1/auth/me", () => (isSignedIn ? HttpResponse.json(session) : HttpResponse.json({}, { status: 401 }))),
    http.post("*/api/v1/auth/refresh", () => HttpResponse.json({}, { status: 401 })),
    http.post("*/api/v1/auth/login", () => {
      isSignedIn = true;
      return HttpResponse.json({ ...session, access_token: "secret", refresh_token: "secret" });
    }),
  );
});

async function signIn(user: UserEvent): Promise<void> {
  await user.type(await screen.findByLabelText("Email"), "ana@example.org");
  await user.type(screen.getByLabelText("Password"), "a long walk");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
}

test("a wrong password is told as such and the email stays", async () => {
  service.use(answers.problem("post", "/auth/login", 401, { code: "invalid_credentials", title: "x" }));
  const { user } = openPage("/sign-in");
  await signIn(user);
  expect(await screen.findByRole("alert")).toHaveTextContent("Email or password is wrong.");
  expect(screen.getByLabelText("Email")).toHaveValue("ana@example.org");
});

test("a page that needs a session leads to signing in and back to itself", async () => {
  const { user, address } = openPage(`/p/${PROJECT_ID}/funnels?q=check`);
  await waitFor(() => expect(address()).toBe(`/sign-in?next=${encodeURIComponent(`/p/${PROJECT_ID}/funnels?q=check`)}`));
  await signIn(user);
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/funnels?q=check`));
});

test("tokens of the answer are kept nowhere", async () => {
  const { user, address } = openPage("/sign-in");
  await signIn(user);
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/overview`));
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("secret");
});
