import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { ReportSource } from "@/features/report/ask";
import type { FrameQuestion } from "@/features/report/use-report-frame";

type Schemas = components["schemas"];
export type PathsAnswer = Schemas["PathsAnswer"];
export type FlowNode = Schemas["FlowNode"];
export type FlowLink = Schemas["FlowLink"];

export type PathsQuestion = FrameQuestion & Omit<Schemas["PathsQuestion"], keyof FrameQuestion>;

export const pathsSource: ReportSource<PathsQuestion, PathsAnswer> = {
  name: "paths",
  path: "/api/v1/analytics/paths",
  ask: (question, signal) => dataOf(api.POST("/api/v1/analytics/paths", { body: question, ...(signal && { signal }) })),
};
