import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { ReportSource } from "@/features/report/ask";
import type { FrameQuestion } from "@/features/report/use-report-frame";

type Schemas = components["schemas"];
export type RetentionAnswer = Schemas["RetentionAnswer"];
export type Matrix = Pick<RetentionAnswer, "people" | "cohorts" | "averages">;
export type Cohort = Schemas["RetentionCohort"];
export type Cell = Schemas["RetentionCell"];
export type Average = Schemas["RetentionAverage"];
export type RetentionGroup = Schemas["RetentionGroup"];

export type RetentionQuestion = FrameQuestion & Omit<Schemas["RetentionQuestion"], keyof FrameQuestion>;

export const retentionSource: ReportSource<RetentionQuestion, RetentionAnswer> = {
  name: "retention",
  path: "/api/v1/analytics/retention",
  ask: (question, signal) => dataOf(api.POST("/api/v1/analytics/retention", { body: question, ...(signal && { signal }) })),
};
