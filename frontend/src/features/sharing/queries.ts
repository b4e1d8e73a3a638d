import { api, dataOf, openApi } from "@/api/client";
import type { CardAnswer, ShareChoice } from "@/api/saved-types";
import type { DayRange } from "@/lib/dates";
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

const POLL_MS = 60_000;
export const OPENED_POLL_MS = 10_000;

export const sharesQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["shares", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/shares", { params: { path: { project_id: projectId } }, signal })),
    select: (answer) => answer.shares,
    // Who waits for a link to be opened sees it: while the list is in view, and at once on coming back to it.
    refetchInterval: OPENED_POLL_MS,
    staleTime: 0,
  });

export function useMakeShare(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ShareChoice) => dataOf(api.POST("/api/v1/projects/{project_id}/shares", { params: { path: { project_id: projectId } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: sharesQuery(projectId).queryKey }),
  });
}

export function useRevokeShare(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => dataOf(api.DELETE("/api/v1/projects/{project_id}/shares/{share_id}", { params: { path: { project_id: projectId, share_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: sharesQuery(projectId).queryKey }),
  });
}

const passed = (pass: string | null) => (pass === null ? {} : { header: { "x-share-pass": pass } });

/** What a link shows. `pass` is the answer of `unlock`; it is kept by the page that asks, and nowhere else. */
export const sharedQuery = (token: string, pass: string | null) =>
  queryOptions({
    queryKey: ["shared", token, pass],
    queryFn: ({ signal }) => dataOf(openApi.GET("/api/v1/shared/{token}", { params: { path: { token }, ...passed(pass) }, signal })),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const sharedAnswerQuery = (token: string, pass: string | null, card: string, days: DayRange | null, isSeen: boolean) =>
  queryOptions({
    queryKey: ["shared", token, pass, "answer", card, days],
    queryFn: async ({ signal }): Promise<CardAnswer> => {
      const query = { card, ...(days && { start_date: days.start, end_date: days.end }) };
      const { kind, answer } = await dataOf(openApi.GET("/api/v1/shared/{token}/answer", { params: { path: { token }, query, ...passed(pass) }, signal }));
      return { kind, answer } as unknown as CardAnswer;
    },
    enabled: isSeen,
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });

export const unlock = (token: string, password: string) =>
  dataOf(openApi.POST("/api/v1/shared/{token}/unlock", { params: { path: { token } }, body: { password } }));
