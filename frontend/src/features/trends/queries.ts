import { api, dataOf } from "@/api/client";
import type { components } from "@/api/schema";
import type { ReportSource } from "@/features/report/ask";
import type { Interval } from "@/features/report/places";
import type { FrameQuestion } from "@/features/report/use-report-frame";

type Schemas = components["schemas"];
export type TrendsAnswer = Schemas["TrendsAnswer"];
export type TrendsNumbers = Pick<TrendsAnswer, "series" | "formulas">;
export type TrendsTotal = Schemas["TrendsTotal"];

export interface TrendsQuestion extends FrameQuestion {
  series: Schemas["TrendsSeriesQuestion"][];
  formulas: Schemas["TrendsFormulaQuestion"][];
  interval: Interval;
  breakdown?: { property: string; limit: number };
}

export const trendsSource: ReportSource<TrendsQuestion, TrendsAnswer> = {
  name: "trends",
  path: "/api/v1/analytics/trends",
  ask: (question, signal) => dataOf(api.POST("/api/v1/analytics/trends", { body: question, ...(signal && { signal }) })),
};
