import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export type PersonRow = components["schemas"]["PersonList"]["people"][number];
export type Profile = components["schemas"]["PersonProfile"];
export type Erasure = components["schemas"]["Erasure"];
export type LoggedEvent = components["schemas"]["LoggedEvent"];

const PAGE_ROWS = 100;
const ERASURE_POLL_MS = 2_000;

export const peopleQuery = (projectId: string, search: string) =>
  infiniteQueryOptions({
    queryKey: ["people", projectId, search],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api.GET("/api/v1/projects/{project_id}/people", {
          params: { path: { project_id: projectId }, query: { limit: PAGE_ROWS, ...(search && { search }), ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });

export const profileQuery = (projectId: string, id: string) =>
  queryOptions({
    queryKey: ["person", projectId, id, "profile"],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/projects/{project_id}/people/{user_id}", { params: { path: { project_id: projectId, user_id: id } }, signal })),
    enabled: id !== "",
  });

export interface JourneyAsked {
  project_id: string;
  user_id: string;
  event_type: string[];
  filters?: string;
}

export const journeyQuery = (asked: JourneyAsked) =>
  infiniteQueryOptions({
    queryKey: ["person", asked.project_id, asked.user_id, "journey", asked],
    queryFn: ({ pageParam, signal }) =>
      dataOf(api.GET("/api/v1/events", { params: { query: { ...asked, limit: PAGE_ROWS, ...(pageParam && { cursor: pageParam }) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });

export const erasuresQuery = (projectId: string, id: string | null) =>
  queryOptions({
    queryKey: ["erasures", projectId, id],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/projects/{project_id}/erasures", { params: { path: { project_id: projectId }, query: id === null ? {} : { user_id: id } }, signal })),
    select: (answer) => answer.erasures,
    // Followed until nothing is under way any more.
    refetchInterval: (query) => (query.state.data?.erasures.some((one) => one.status !== "done") ? ERASURE_POLL_MS : false),
  });

export function useErase(projectId: string, id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.DELETE("/api/v1/projects/{project_id}/people/{user_id}", { params: { path: { project_id: projectId, user_id: id } } })),
    onSuccess: () => {
      // Whatever was asked before may show them.
      client.removeQueries({ queryKey: ["people", projectId] });
      client.removeQueries({ queryKey: ["event", projectId] });
      client.removeQueries({ queryKey: ["person", projectId, id, "journey"] });
      void client.invalidateQueries({ queryKey: ["erasures", projectId] });
      void client.resetQueries({ queryKey: profileQuery(projectId, id).queryKey });
    },
  });
}

export const exportPersonPath = (projectId: string, id: string): string =>
  `/api/v1/projects/${encodeURIComponent(projectId)}/people/${encodeURIComponent(id)}/export`;
