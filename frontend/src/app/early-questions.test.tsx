import { sessionQuery } from "@/features/account/queries";
import { boardQuery, viewsQuery } from "@/features/boards/queries";
import { projectQuery, projectsQuery } from "@/features/projects/queries";
import { PROJECT_ID, service } from "@/test/service";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { askEarly } from "./early-questions";
import { makeQueryClient } from "./providers";

async function asked(pathname: string): Promise<unknown[]> {
  const client = makeQueryClient();
  await askEarly(client, pathname);
  return client.getQueryCache().getAll().map((query) => [query.queryKey, query.state.dataUpdateCount]);
}

const once = (...keys: readonly unknown[]): unknown[] => keys.map((key) => [key, 1]);

test.each([
  [`/p/${PROJECT_ID}/funnels`, once(sessionQuery.queryKey, projectsQuery.queryKey, projectQuery(PROJECT_ID).queryKey)],
  ["/members", once(sessionQuery.queryKey, projectsQuery.queryKey)],
  ["/sign-in", []],
  ["/s/3b9f", []],
  ["/join", []],
])("of %s the first answers are there before the page asks", async (pathname, answered) => {
  expect(await asked(pathname)).toEqual(answered);
});

test("a visitor without a session is asked nothing more", async () => {
  service.use(
    http.get("*/api/v1/auth/me", () => HttpResponse.json({ code: "unauthenticated" }, { status: 401 })),
    http.post("*/api/v1/auth/refresh", () => HttpResponse.json({ code: "unauthenticated" }, { status: 401 })),
  );
  expect(await asked(`/p/${PROJECT_ID}/funnels`)).toEqual(once(sessionQuery.queryKey));
});

test("of a board its cards and the views that they show are asked for, too", async () => {
  service.use(
    http.get("*/boards/b1", () => HttpResponse.json({ id: "b1", cards: [] })),
    http.get("*/views", () => HttpResponse.json({ views: [] })),
  );
  expect(await asked(`/p/${PROJECT_ID}/boards/b1`)).toEqual(
    once(sessionQuery.queryKey, projectsQuery.queryKey, projectQuery(PROJECT_ID).queryKey, boardQuery(PROJECT_ID, "b1").queryKey, viewsQuery(PROJECT_ID).queryKey),
  );
});
