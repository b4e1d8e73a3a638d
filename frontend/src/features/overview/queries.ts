import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { ReportSource } from "@/features/report/ask";
import type { Interval } from "@/features/report/places";
import type { FrameQuestion } from "@/features/report/use-report-frame";

type Schemas = components["schemas"];
export type Figures = Schemas["SessionFigures"];
export type SessionGroup = Schemas["SessionGroup"];

export type OverviewAnswer = Schemas["OverviewAnswer"];

export type OverviewQuestion = FrameQuestion & Pick<Schemas["OverviewQuestion"], "lists"> & { interval: Interval; limit: number };

export const overviewSource: ReportSource<OverviewQuestion, OverviewAnswer> = {
  name: "overview",
  path: "/api/v1/analytics/overview",
  ask: (question, signal) => dataOf(api.POST("/api/v1/analytics/overview", { body: question, ...(signal && { signal }) })),
};
