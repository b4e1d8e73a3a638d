import { api, dataOf } from "@/api/client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { LogPage, LogRow, Order } from "./event-window";
import { fieldsOf, type LogQuestion } from "./log-question";

export const PAGE_ROWS = 100;
const TAIL_MS = 2_000;
const WATCH_MS = 10_000;

export interface LogAsked {
  question: LogQuestion;
  columns: readonly string[];
  order: Order;
}

export interface LogAnswer extends LogPage {
  version: string;
}

export async function loadPage({ question, columns, order }: LogAsked, cursor: string | null, signal?: AbortSignal): Promise<LogAnswer> {
  const answer = await dataOf(
    api.GET("/api/v1/events", {
      params: { query: { ...question, order, fields: fieldsOf(columns), limit: PAGE_ROWS, ...(cursor !== null && { cursor }) } },
      ...(signal && { signal }),
    }),
  );
  // With chosen fields a row has only those: the contract describes the usual ones.
  return { rows: answer.events as unknown as LogRow[], next: answer.next_cursor, prev: answer.prev_cursor, version: answer.data_version };
}

/** The newest page, asked for again while new events may come. */
export const topQuery = (asked: LogAsked, watch: "tail" | "slow" | "no") =>
  queryOptions({
    queryKey: ["events", asked],
    queryFn: ({ signal }) => loadPage(asked, null, signal),
    placeholderData: keepPreviousData,
    refetchInterval: watch === "tail" ? TAIL_MS : watch === "slow" ? WATCH_MS : false,
    // A page that was looked at a minute ago is another one by now.
    gcTime: 0,
  });

const INSTANT_MS = 1_000;

/** One event, whole. Its instant is known, so that only the files around it are read. */
export const eventQuery = (projectId: string, id: string, at: string) =>
  queryOptions({
    queryKey: ["event", projectId, id, at],
    queryFn: async ({ signal }) => {
      const time = Date.parse(at);
      const around = Number.isNaN(time) ? {} : { start: new Date(time - INSTANT_MS).toISOString(), end: new Date(time + INSTANT_MS).toISOString() };
      const filters = JSON.stringify([{ property: "column:id", op: "eq", value: id }]);
      const answer = await dataOf(api.GET("/api/v1/events", { params: { query: { project_id: projectId, limit: 5, filters, ...around } }, signal }));
      return answer.events.find((one) => one.created_at === at) ?? answer.events[0] ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
