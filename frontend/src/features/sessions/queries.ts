import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { ReportSource } from "@/features/report/ask";
import type { Interval } from "@/features/report/places";
import type { FrameQuestion } from "@/features/report/use-report-frame";

type Schemas = components["schemas"];
export type Figures = Schemas["SessionFigures"];
export type Group = Schemas["SessionGroup"];

export type SessionsAnswer = Schemas["SessionsAnswer"];

export type SessionsQuestion = FrameQuestion & Partial<Pick<Schemas["SessionsQuestion"], "breakdown" | "limit">> & { interval: Interval };

export const sessionsSource: ReportSource<SessionsQuestion, SessionsAnswer> = {
  name: "sessions",
  path: "/api/v1/analytics/sessions",
  ask: (question, signal) => dataOf(api.POST("/api/v1/analytics/sessions", { body: question, ...(signal && { signal }) })),
};
