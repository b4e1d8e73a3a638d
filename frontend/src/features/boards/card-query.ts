/** Asks what a card shows, in the way of its kind's own report. */
import { api, dataOf } from "@/api/client";
import type { Answers, CardAnswer, ViewKind } from "@/api/saved-types";
import type { Day } from "@/lib/dates";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { CardContent } from "./card-content";
import { askedDays, dated } from "./ranges";

export const REFRESH_MS = 60_000;
const EVENTS_SHOWN = 20;

type Question = Record<string, unknown>;
const REPORTS = ["trends", "retention", "paths", "sessions", "overview"] as const;
type ReportKind = (typeof REPORTS)[number];
const isReport = (kind: ViewKind): kind is ReportKind => (REPORTS as readonly string[]).includes(kind);

/** A card has no room for receipts; all of the data has no period before it. */
function lean(question: Question): Question {
  const names = [question.include].flat().filter((one): one is string => typeof one === "string" && one !== "receipt");
  const hasPeriod = Boolean(question.compare_start ?? (question.start_date && question.end_date));
  return { ...question, include: names.filter((one) => one !== "compare" || hasPeriod) };
}

export async function askCard(projectId: string, kind: ViewKind, question: Question, signal?: AbortSignal): Promise<CardAnswer> {
  const options = signal && { signal };
  if (kind === "funnel") {
    const { funnel_id, ...query } = lean(question);
    const path = { funnel_id: String(funnel_id) };
    return { kind, answer: await dataOf(api.GET("/api/v1/analytics/funnel/{funnel_id}", { params: { path, query }, ...options })) };
  }
  if (kind === "events") {
    // A card shows the same few fields of each event, whatever the log would show.
    const { filters, ...rest }: Question = { ...question, fields: undefined };
    const written = filters !== undefined && filters !== null && { filters: JSON.stringify(filters) };
    const query = Object.fromEntries(Object.entries({ ...rest, ...written, limit: EVENTS_SHOWN }).filter(([, value]) => value !== undefined));
    return { kind, answer: await dataOf(api.GET("/api/v1/events", { params: { query: { ...query, project_id: projectId } }, ...options })) };
  }
  if (!isReport(kind)) throw new Error(`a ${kind} has no numbers`);
  // The service read the question when it was saved; its own reader is the judge of its shape.
  const body = { ...lean(question), project_id: projectId } as never;
  const answer = await dataOf<unknown>(api.POST(`/api/v1/analytics/${kind}`, { body, ...options }));
  return { kind, answer: answer as Answers[ReportKind] } as CardAnswer;
}

export const cardQuery = (projectId: string, content: CardContent, today: Day, isSeen: boolean) => {
  const question = dated(content.kind, content.question, content.range, today);
  const { end } = askedDays(content.range, today);
  return queryOptions({
    queryKey: ["card", projectId, content.kind, question],
    queryFn: ({ signal }) => askCard(projectId, content.kind, question, signal),
    enabled: isSeen && content.kind !== "note",
    placeholderData: keepPreviousData,
    refetchInterval: end !== undefined && end < today ? false : REFRESH_MS,
    // On a screen in a corridor nobody touches the window.
    refetchIntervalInBackground: false,
  });
};
