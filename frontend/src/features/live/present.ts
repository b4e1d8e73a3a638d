/** Who is there now, as the overview counts them: asked again while the page is seen, of the newest events only. */
import { api, dataOf } from "@/api/client";
import { queryOptions } from "@tanstack/react-query";

const POLL_MS = 30_000;

export const presentQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["project", projectId, "present"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/analytics/present", { params: { query: { project_id: projectId } }, signal })),
    refetchInterval: POLL_MS,
  });
