import { api, dataOf } from "@/api/client";
import type { DayRange } from "@/lib/dates";
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Definition } from "./definition-math";

const NEXT_STEPS = 5;

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

/** What people did after the last stage of a draft. */
export const nextStepsQuery = (projectId: string, definition: Definition | null, range: DayRange) =>
  queryOptions({
    queryKey: ["next-steps", projectId, definition, range],
    queryFn: ({ signal }) => {
      if (!definition) throw new Error("next steps need a definition");
      const body = { ...definition, project_id: projectId, start_date: range.start, end_date: range.end, limit: NEXT_STEPS };
      return dataOf(api.POST("/api/v1/analytics/funnel/next-steps", { body, signal }));
    },
    enabled: definition !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 60_000,
  });

/** Templates with what the project has of them, and ways that people really go. */
export const suggestionsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["funnel-suggestions", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/analytics/funnel-suggestions", { params: { query: { project_id: projectId } }, signal })),
    staleTime: 60_000,
    retry: false,
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
