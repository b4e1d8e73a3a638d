/** What nearly every page needs first, asked for while the page's own script is still on its way. */
import { sessionQuery } from "@/features/account/queries";
import { boardGrid } from "@/features/boards/later-grid";
import { boardQuery, viewsQuery } from "@/features/boards/queries";
import { funnelChart } from "@/features/funnels/later-chart";
import { projectQuery, projectsQuery } from "@/features/projects/queries";
import { timePlot } from "@/ui/chart/later-plot";
import type { QueryClient } from "@tanstack/react-query";

/** Pages that stand open to people without a session. */
const OPEN_PAGES = /^\/(sign-in|sign-up|join|s)(\/|$)/;
const PROJECT_PAGE = /^\/p\/([^/]+)\/(.*)/;
const BOARD_PAGE = /^boards\/([^/]+)$/;
/** Narrower windows show stages as rows and cards in a column, without these scripts. */
const DESK_FROM_PX = 680;

function drawnFirst(page: string): { begin: () => void }[] {
  if (/^(overview|trends|sessions|anomalies|quality|live)$/.test(page)) return [timePlot];
  if (innerWidth < DESK_FROM_PX) return [];
  if (/^funnels\/(?!new$)[^/]+$/.test(page)) return [funnelChart];
  return BOARD_PAGE.test(page) ? [boardGrid, timePlot] : [];
}

/** Answers wait in the cache for the page that asks the same. Who has no session is asked nothing more. */
export async function askEarly(client: QueryClient, pathname: string): Promise<void> {
  if (OPEN_PAGES.test(pathname)) return;
  const [, projectId, page = ""] = PROJECT_PAGE.exec(pathname) ?? [];
  // Numbers and chart come side by side.
  for (const script of drawnFirst(page)) script.begin();
  await client.prefetchQuery(sessionQuery);
  if (!client.getQueryData(sessionQuery.queryKey)) return;
  await Promise.all([client.prefetchQuery(projectsQuery), projectId && askOfProject(client, decodeURIComponent(projectId), page)]);
}

async function askOfProject(client: QueryClient, projectId: string, page: string): Promise<void> {
  const [, boardId] = BOARD_PAGE.exec(page) ?? [];
  await Promise.all([
    client.prefetchQuery(projectQuery(projectId)),
    boardId && client.prefetchQuery(boardQuery(projectId, decodeURIComponent(boardId))),
    boardId && client.prefetchQuery(viewsQuery(projectId)),
  ]);
}
