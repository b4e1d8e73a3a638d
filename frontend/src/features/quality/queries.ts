import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import { statusQuery } from "@/features/projects/queries";
import type { DayRange } from "@/lib/dates";
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export type Row = components["schemas"]["QuarantineRow"];
export type ReplayAnswer = components["schemas"]["ReplayAnswer"];
export type State = "waiting" | "replayed" | "all";

export interface RowFilter {
  reason: string;
  state: State;
}

const POLL_MS = 10_000;
/** 100,000 events; whoever has more goes on with another click. */
const ROUNDS_MAX = 100;
const pathOf = (projectId: string) => ({ path: { project_id: projectId } });

export const qualityQuery = (projectId: string, range: DayRange) =>
  queryOptions({
    queryKey: ["quality", projectId, "days", range],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/projects/{project_id}/quality", {
          params: { ...pathOf(projectId), query: { start_date: range.start, end_date: range.end } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });

export const schemaQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["quality", projectId, "schema"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/schema", { params: pathOf(projectId), signal })),
  });

export const rowsQuery = (projectId: string, { reason, state }: RowFilter) =>
  infiniteQueryOptions({
    queryKey: ["quality", projectId, "rows", reason, state],
    queryFn: ({ signal, pageParam }) =>
      dataOf(
        api.GET("/api/v1/projects/{project_id}/quarantine", {
          params: { ...pathOf(projectId), query: { state, ...(reason && { reason }), ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });

export const exportPath = (projectId: string, { reason, state }: RowFilter, format: "csv" | "ndjson"): string =>
  `/api/v1/projects/${encodeURIComponent(projectId)}/quarantine/export?${new URLSearchParams({ format, state, ...(reason && { reason }) }).toString()}`;

export interface Correction {
  rename: Record<string, string>;
  merge: Record<string, unknown>;
}

type Which = { ids: string[] } | { filter: { reason: string | null } };

const replay = (projectId: string, which: Which, changes: Correction, isTrial: boolean, cursor?: string): Promise<ReplayAnswer> =>
  dataOf(
    api.POST("/api/v1/projects/{project_id}/quarantine/replay", {
      params: pathOf(projectId),
      body: { ...which, changes, dry_run: isTrial, ...(cursor && { cursor }) } as components["schemas"]["ReplayRequest"],
    }),
  );

/** A trial says what would happen; it is asked of the newest 1,000 rows and changes nothing. */
export function useTrial(projectId: string) {
  return useMutation({ mutationFn: ({ which, changes }: { which: Which; changes: Correction }) => replay(projectId, which, changes, true) });
}

/** Goes on until no row is left behind the last one. */
export function useReplay(projectId: string) {
  const refresh = useRefresh(projectId);
  return useMutation({
    mutationFn: async ({ which, changes, onRound }: { which: Which; changes: Correction; onRound?: (looked: number) => void }) => {
      let total = await replay(projectId, which, changes, false);
      for (let round = 1; total.next_cursor && "filter" in which && round < ROUNDS_MAX; round += 1) {
        onRound?.(total.accepted + total.duplicates + total.rejected);
        const more = await replay(projectId, which, changes, false, total.next_cursor);
        total = {
          ...more,
          accepted: total.accepted + more.accepted,
          duplicates: total.duplicates + more.duplicates,
          rejected: total.rejected + more.rejected,
        };
      }
      return total;
    },
    onSettled: refresh,
  });
}

export function useDiscard(projectId: string) {
  const refresh = useRefresh(projectId);
  return useMutation({
    mutationFn: (which: { id: string } | { reason: string }) =>
      dataOf(
        api.DELETE("/api/v1/projects/{project_id}/quarantine", {
          params: {
            ...pathOf(projectId),
            query: "id" in which ? { id: [which.id] } : which.reason ? { reason: which.reason, state: "waiting" } : { state: "waiting", all: true },
          },
        }),
      ),
    onSettled: refresh,
  });
}

function useRefresh(projectId: string) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["quality", projectId] }),
      client.invalidateQueries({ queryKey: statusQuery(projectId).queryKey }),
    ]);
}
