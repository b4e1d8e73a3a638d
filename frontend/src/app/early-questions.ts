/** What nearly every page needs first, asked for while the page's own script is still on its way. */
import { sessionQuery } from "@/features/account/queries";
import { projectQuery, projectsQuery } from "@/features/projects/queries";
import type { QueryClient } from "@tanstack/react-query";

/** Pages that stand open to people without a session. */
const OPEN_PAGES = /^\/(sign-in|sign-up|join|s)(\/|$)/;
const PROJECT_PAGE = /^\/p\/([^/]+)\/(?:(overview|trends|sessions|anomalies|quality|live)$)?/;

/** Answers wait in the cache for the page that asks the same. Who has no session is asked nothing more. */
export async function askEarly(client: QueryClient, pathname: string): Promise<void> {
  if (OPEN_PAGES.test(pathname)) return;
  const [, projectId, pageWithChart] = PROJECT_PAGE.exec(pathname) ?? [];
  // Its numbers and its chart come side by side.
  if (pageWithChart) import("@/ui/chart/time-plot").catch(() => undefined);
  await client.prefetchQuery(sessionQuery);
  if (!client.getQueryData(sessionQuery.queryKey)) return;
  await Promise.all([client.prefetchQuery(projectsQuery), projectId && client.prefetchQuery(projectQuery(decodeURIComponent(projectId)))]);
}
