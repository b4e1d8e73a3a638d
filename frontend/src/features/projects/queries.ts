import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { Project, ProjectKey } from "@/api/types";
import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

export interface NewProject {
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

/** The zone of the project's days and times, wherever the reader sits; UTC until it is known. */
export function useProjectZone(projectId: string): string {
  return useQuery(projectQuery(projectId)).data?.timezone ?? "UTC";
}

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
    mutationFn: (body: NewProject) => dataOf(api.POST("/api/v1/projects", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: projectsQuery.queryKey }),
  });
}

export type ProjectChange = components["schemas"]["ProjectChange"];

/** Fields that are absent stay; refused when the project is not at this version any more. */
export const changeProject = (projectId: string, version: number, body: Partial<ProjectChange>): Promise<Project> =>
  dataOf(
    api.PUT("/api/v1/projects/{project_id}", {
      params: { path: { project_id: projectId } },
      body: body as ProjectChange,
      headers: { "If-Match": `"${version}"` },
    }),
  );

/** Puts a project that the service has just answered where every page finds it. */
export async function keepProject(client: QueryClient, project: Project): Promise<void> {
  client.setQueryData(projectQuery(project.id).queryKey, project);
  await Promise.all([
    client.invalidateQueries({ queryKey: projectsQuery.queryKey }),
    client.invalidateQueries({ queryKey: statusQuery(project.id).queryKey }),
  ]);
}

export function useMakeKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { kind: ProjectKey["kind"]; name: string }) =>
      dataOf(api.POST("/api/v1/projects/{project_id}/keys", { params: { path: { project_id: projectId } }, body })),
    onSettled: () => refreshKeys(client, projectId),
  });
}

export function useRotateKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlap_seconds }: { id: string; overlap_seconds: number }) =>
      dataOf(
        api.POST("/api/v1/projects/{project_id}/keys/{key_id}/rotate", {
          params: { path: { project_id: projectId, key_id: id } },
          body: { overlap_seconds },
        }),
      ),
    onSettled: () => refreshKeys(client, projectId),
  });
}

export function useRevokeKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      dataOf(api.DELETE("/api/v1/projects/{project_id}/keys/{key_id}", { params: { path: { project_id: projectId, key_id: id } } })),
    onSettled: () => refreshKeys(client, projectId),
  });
}

/** The tracking code holds the newest write key. */
async function refreshKeys(client: QueryClient, projectId: string): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: keysQuery(projectId).queryKey }),
    client.invalidateQueries({ queryKey: trackingCodeQuery(projectId).queryKey }),
  ]);
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
