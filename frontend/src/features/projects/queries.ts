import { api, dataOf } from "@/api/client";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export interface ProjectFields {
  name: string;
  domain: string | null;
  timezone: string;
}

const WAITING_POLL_MS = 2_000;
const LIVE_POLL_MS = 15_000;

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects", { signal })),
  select: (answer) => answer.projects,
});

export const projectQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["project", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: projectId } }, signal })),
  });

export const keysQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["project", projectId, "keys"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/keys", { params: { path: { project_id: projectId } }, signal })),
    select: (answer) => answer.keys,
  });

export const trackingCodeQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["project", projectId, "tracking-code"],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/projects/{project_id}/tracking-code", { params: { path: { project_id: projectId } }, signal })),
  });

/** Asks every two seconds until the first event is there, then seldom. */
export const statusQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["project", projectId, "status"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/status", { params: { path: { project_id: projectId } }, signal })),
    refetchInterval: (query) => (query.state.data?.events_total ? LIVE_POLL_MS : WAITING_POLL_MS),
  });

export function useCreateProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ProjectFields) => dataOf(api.POST("/api/v1/projects", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: projectsQuery.queryKey }),
  });
}

export function useSaveProject(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ProjectFields) =>
      dataOf(api.PUT("/api/v1/projects/{project_id}", { params: { path: { project_id: projectId } }, body })),
    onSuccess: async (project) => {
      client.setQueryData(projectQuery(projectId).queryKey, project);
      await client.invalidateQueries({ queryKey: projectsQuery.queryKey });
    },
  });
}

export function useDeleteProject(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.DELETE("/api/v1/projects/{project_id}", { params: { path: { project_id: projectId } } })),
    onSuccess: async () => {
      client.removeQueries({ queryKey: ["project", projectId] });
      await client.invalidateQueries({ queryKey: projectsQuery.queryKey });
    },
  });
}
