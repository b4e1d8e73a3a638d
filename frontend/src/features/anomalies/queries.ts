import { api, dataOf } from "@/api/client";
import { LIVE_POLL_MS } from "@/features/report/queries";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

export type Measure = "events" | "people";
export type Sensitivity = "low" | "medium" | "high";

const SELDOM = 30; // verdicts are about whole days: a poll in five minutes is plenty

function question(frame: ReportFrame, measure: Measure, sensitivity: Sensitivity) {
  const { project_id, start_date, end_date, filters, exclude_bots } = frame.question;
  return { project_id, ...(start_date && { start_date }), ...(end_date && { end_date }), filters, exclude_bots, measure, sensitivity };
}

export const anomaliesQuery = (frame: ReportFrame, measure: Measure, sensitivity: Sensitivity) => {
  const body = question(frame, measure, sensitivity);
  return queryOptions({
    queryKey: ["anomalies", body],
    queryFn: ({ signal }) => dataOf(api.POST("/api/v1/analytics/anomalies", { body, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: frame.isLive ? SELDOM * LIVE_POLL_MS : false,
  });
};

export async function anomaliesReceipt(frame: ReportFrame, measure: Measure, sensitivity: Sensitivity) {
  const body = { ...question(frame, measure, sensitivity), include: ["receipt" as const] };
  const answer = await dataOf(api.POST("/api/v1/analytics/anomalies", { body }));
  if (!answer.receipt) throw new Error("an answer without its receipt");
  return answer.receipt;
}
