import { api, dataOf } from "@/api/client";
import type { DayRange } from "@/lib/dates";
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Definition } from "./definition-math";

const LIVE_POLL_MS = 10_000;
const NAMES_MAX = 50;

/** Null asks for the project's whole data. */
export type AskedRange = DayRange | null;

export const funnelsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["funnels", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/funnels", { params: { query: { project_id: projectId } }, signal })),
    select: (answer) => answer.funnels,
  });

export const funnelQuery = (funnelId: string) =>
  queryOptions({
    queryKey: ["funnel", funnelId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/funnels/{funnel_id}", { params: { path: { funnel_id: funnelId } }, signal })),
  });

export const answerQuery = (funnelId: string, range: AskedRange, isLive: boolean) =>
  queryOptions({
    queryKey: ["funnel", funnelId, "answer", range],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/funnel/{funnel_id}", {
          params: { path: { funnel_id: funnelId }, query: range ? { start_date: range.start, end_date: range.end } : {} },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? LIVE_POLL_MS : false,
  });

export const previewQuery = (projectId: string, definition: Definition | null, range: DayRange) =>
  queryOptions({
    queryKey: ["preview", projectId, definition, range],
    queryFn: ({ signal }) => {
      if (!definition) throw new Error("a preview needs a definition");
      const body = { ...definition, project_id: projectId, start_date: range.start, end_date: range.end };
      return dataOf(api.POST("/api/v1/analytics/funnel", { body, signal }));
    },
    enabled: definition !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });

export const eventNamesQuery = (projectId: string, words: string) =>
  queryOptions({
    queryKey: ["event-names", projectId, words],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/event-names", {
          params: { query: { project_id: projectId, limit: NAMES_MAX, ...(words && { q: words }) } },
          signal,
        }),
      ),
    select: (answer) => answer.event_names,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });

export const templatesQuery = queryOptions({
  queryKey: ["funnel-templates"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/funnel-templates", { signal })),
  select: (answer) => answer.templates,
  staleTime: Number.POSITIVE_INFINITY,
});

export function useSaveFunnel(projectId: string, funnelId: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (definition: Definition) => {
      const body = { ...definition, project_id: projectId };
      if (funnelId === null) return dataOf(api.POST("/api/v1/funnels", { body }));
      return dataOf(api.PUT("/api/v1/funnels/{funnel_id}", { params: { path: { funnel_id: funnelId } }, body }));
    },
    onSuccess: async (funnel) => {
      client.removeQueries({ queryKey: ["funnel", funnel.id] });
      client.setQueryData(funnelQuery(funnel.id).queryKey, funnel);
      await client.invalidateQueries({ queryKey: funnelsQuery(projectId).queryKey });
    },
  });
}

export function useDeleteFunnel(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (funnelId: string) =>
      dataOf(api.DELETE("/api/v1/funnels/{funnel_id}", { params: { path: { funnel_id: funnelId } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: funnelsQuery(projectId).queryKey }),
  });
}
