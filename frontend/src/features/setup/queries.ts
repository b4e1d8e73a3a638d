import { api, dataOf } from "@/api/client";
import { keepProject, changeProject, projectQuery, statusQuery } from "@/features/projects/queries";
import { funnelsQuery, suggestionsQuery } from "@/features/funnels/queries";
import type { components } from "@/api/schema";
import { withOrigin } from "@/features/projects/settings/settings-math";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

const WAITING_POLL_MS = 2_000;
const LATER_POLL_MS = 10_000;
const SUGGESTION_POLL_MS = 5_000;

export const diagnosisQuery = (projectId: string, isWaiting: boolean) =>
  queryOptions({
    queryKey: ["project", projectId, "diagnosis"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/diagnosis", { params: { path: { project_id: projectId } }, signal })),
    refetchInterval: isWaiting ? WAITING_POLL_MS : LATER_POLL_MS,
  });

/** Asked again until there is a way to suggest: the first events say little. */
export const firstSuggestionQuery = (projectId: string) =>
  queryOptions({
    ...suggestionsQuery(projectId),
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.funnels.length ? false : SUGGESTION_POLL_MS),
  });

/** One event through the public door with the public key, as a page of this address would send it. */
export function useSendTest(projectId: string, key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => {
      const body = { event_type: "test_event", anonymous_id: `setup-${crypto.randomUUID?.() ?? Date.now()}`, properties: { sent_from: "setup" } };
      return dataOf(api.POST("/api/v1/track", { body, headers: { "X-API-Key": key } }));
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: statusQuery(projectId).queryKey }),
        client.invalidateQueries({ queryKey: ["project", projectId, "diagnosis"] }),
      ]),
  });
}

export function useAllowOrigin(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (origin: string) => {
      const project = await client.fetchQuery({ ...projectQuery(projectId), staleTime: 0 });
      return changeProject(projectId, project.version, { allowed_origins: withOrigin(project, origin) });
    },
    onSuccess: async (project) => {
      await keepProject(client, project);
      await client.invalidateQueries({ queryKey: ["project", projectId, "diagnosis"] });
    },
  });
}

export function useCreateSuggested(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (definition: components["schemas"]["FunnelDefinition"]) => dataOf(api.POST("/api/v1/funnels", { body: { ...definition, project_id: projectId } })),
    onSuccess: () => client.invalidateQueries({ queryKey: funnelsQuery(projectId).queryKey }),
  });
}
