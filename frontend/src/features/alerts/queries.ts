import { api, dataOf } from "@/api/client";
import type { AlertChoice } from "@/api/types";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

const POLL_MS = 30_000;

export const alertsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["alerts", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/alerts", { params: { path: { project_id: projectId } }, signal })),
    select: (answer) => answer.alerts,
    refetchInterval: POLL_MS,
  });

export function useSaveAlert(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    /** Makes one without an id, changes one with it. A secret comes when there is a webhook and was none. */
    mutationFn: async ({ id, body }: { id: string | null; body: AlertChoice }) => {
      if (id === null) return dataOf(api.POST("/api/v1/projects/{project_id}/alerts", { params: { path: { project_id: projectId } }, body }));
      return dataOf(api.PUT("/api/v1/projects/{project_id}/alerts/{alert_id}", { params: { path: { project_id: projectId, alert_id: id } }, body }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["alerts", projectId] }),
  });
}

export function useTestAlert(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      dataOf(api.POST("/api/v1/projects/{project_id}/alerts/{alert_id}/test", { params: { path: { project_id: projectId, alert_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["alerts", projectId] }),
  });
}

export const deleteAlert = (projectId: string, id: string): Promise<unknown> =>
  dataOf(api.DELETE("/api/v1/projects/{project_id}/alerts/{alert_id}", { params: { path: { project_id: projectId, alert_id: id } } }));
