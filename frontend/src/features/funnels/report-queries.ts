/** What the page of a saved funnel asks: its counts at once, and each deeper view when it is opened. */
import type { Funnel, PeopleKind } from "@/api/types";
import { api, dataOf } from "@/api/client";
import type { Interval } from "@/features/report/places";
import { LIVE_POLL_MS } from "@/features/report/queries";
import type { DayRange } from "@/lib/dates";
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { inTurn } from "./in-turn";
import type { Grouping, Time } from "./view-state";

const PEOPLE_A_PAGE = 50;
const DRIVERS_MAX = 200;
/** A list shows the reason of every row; the service shall have room for other questions meanwhile. */
const explainInTurn = inTurn(2);

/** Null asks for the project's whole data. */
export type AskedRange = DayRange | null;

export interface Question {
  funnelId: string;
  range: AskedRange;
}

type Include = "times" | "trend" | "breakdown" | "compare" | "receipt";
interface More {
  include?: Include[];
  compare_start?: string;
  compare_end?: string;
  trend?: Interval;
  breakdown?: string;
  attribution?: string;
}

const days = (range: AskedRange) => (range ? { start_date: range.start, end_date: range.end } : {});

function ask({ funnelId, range }: Question, more: More, signal: AbortSignal) {
  return dataOf(
    api.GET("/api/v1/analytics/funnel/{funnel_id}", {
      params: { path: { funnel_id: funnelId }, query: { ...days(range), ...more } },
      signal,
    }),
  );
}

const keyOf = ({ funnelId, range }: Question, ...rest: readonly unknown[]) => ["funnel", funnelId, "report", range, ...rest];

/** The members asked for, and the same of the days compared with. */
const beside = (compared: DayRange | null, ...include: Include[]): More =>
  compared ? { include: [...include, "compare"], compare_start: compared.start, compare_end: compared.end } : include.length > 0 ? { include } : {};

/** The counts, and those of the days they are compared with. */
export const answerQuery = (question: Question, compared: DayRange | null, isLive: boolean) =>
  queryOptions({
    queryKey: keyOf(question, "answer", compared),
    queryFn: ({ signal }) =>
      ask(question, beside(compared), signal),
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? LIVE_POLL_MS : false,
  });

/** `dataVersion` is that of the counts beside it: when they move, this is asked again, and not before. */
export const timesQuery = (question: Question, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf(question, "times", dataVersion),
    queryFn: ({ signal }) => ask(question, { include: ["times"] }, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const trendQuery = (question: Question, interval: Interval, compared: DayRange | null, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf(question, "trend", interval, compared, dataVersion),
    queryFn: ({ signal }) => ask(question, { ...beside(compared, "trend"), trend: interval }, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const breakdownQuery = (question: Question, grouping: Grouping | null, compared: DayRange | null, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf(question, "breakdown", grouping, compared, dataVersion),
    queryFn: ({ signal }) => {
      if (!grouping) throw new Error("groups need a property");
      return ask(question, { ...beside(compared, "breakdown"), breakdown: grouping.property, attribution: grouping.attribution }, signal);
    },
    enabled: grouping !== null,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export interface DriverChoice {
  /** Where the step begins; null: where most people are lost. */
  stage: number | null;
  withOpen: boolean;
}

export const driversQuery = ({ funnelId, range }: Question, { stage, withOpen }: DriverChoice, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf({ funnelId, range }, "drivers", stage, withOpen, dataVersion),
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/funnel/{funnel_id}/drivers", {
          params: {
            path: { funnel_id: funnelId },
            query: { ...days(range), limit: DRIVERS_MAX, include_open: withOpen, ...(stage !== null && { stage }) },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

const timeOf = (time: Time): { open?: boolean } => (time === "all" ? {} : { open: time === "open" });

export const peopleQuery = ({ funnelId, range }: Question, stage: number, kind: PeopleKind, time: Time) =>
  infiniteQueryOptions({
    queryKey: keyOf({ funnelId, range }, "people", stage, kind, time),
    queryFn: ({ signal, pageParam }) =>
      dataOf(
        api.GET("/api/v1/analytics/funnel/{funnel_id}/users", {
          params: {
            path: { funnel_id: funnelId },
            query: { ...days(range), stage, kind, ...timeOf(time), limit: PEOPLE_A_PAGE, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const explainQuery = ({ funnelId, range }: Question, person: string, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf({ funnelId, range }, "explain", person, dataVersion),
    queryFn: ({ signal }) =>
      explainInTurn(
        () =>
          dataOf(
            api.GET("/api/v1/analytics/funnel/{funnel_id}/users/{user_id}", {
              params: { path: { funnel_id: funnelId, user_id: person }, query: days(range) },
              signal,
            }),
          ),
        signal,
      ),
    staleTime: Number.POSITIVE_INFINITY,
    // What is said of a person stays until newer data says something else; of another person it says nothing.
    placeholderData: (previous, query) => (query?.queryKey.includes(person) ? previous : undefined),
  });

export const receiptQuery = (question: Question, dataVersion: string) =>
  queryOptions({
    queryKey: keyOf(question, "receipt", dataVersion),
    queryFn: ({ signal }) => ask(question, { include: ["receipt"] }, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

function address(funnel: Pick<Funnel, "id">, route: string, range: AskedRange, more: Record<string, string>): string {
  const search = new URLSearchParams({ ...(range ? { start_date: range.start, end_date: range.end } : {}), ...more });
  return `/api/v1/analytics/funnel/${encodeURIComponent(funnel.id)}/${route}?${search}`;
}

export const peopleFile = (funnel: Funnel, range: AskedRange, stage: number, kind: PeopleKind, time: Time): string =>
  address(funnel, "export", range, { stage: String(stage), kind, format: "csv", ...(time !== "all" && { open: String(time === "open") }) });

export const notebookFile = (funnel: Funnel, range: AskedRange): string => address(funnel, "receipt", range, { format: "notebook" });
