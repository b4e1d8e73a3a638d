import { useDateNotes } from "@/features/notes/use-date-notes";
import { AnswerFoot } from "@/features/report/answer-foot";
import { receiptOf } from "@/features/report/ask";
import { figureSeries } from "@/features/report/figure-series";
import { placeOf } from "@/features/report/places";
import { ReportCard } from "@/features/report/report-card";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { TimeChart } from "@/ui/chart/time-chart";
import { Segmented } from "@/ui/segmented";
import { Scroller } from "@/ui/scroller";
import type { UseQueryResult } from "@tanstack/react-query";
import { sessionsSource, type SessionsAnswer, type SessionsQuestion } from "./queries";
import { FIGURES, FIGURE_NAMES, isFigure, valueOf, type FigureName } from "./session-math";
import { words } from "./words";

interface Props {
  query: UseQueryResult<SessionsAnswer>;
  frame: ReportFrame;
  question: SessionsQuestion;
}

/** One figure over time, the compared days dotted behind it. */
export function SessionChart({ query, frame, question }: Props) {
  const notes = useDateNotes(frame.projectId, query.data?.buckets.map((bucket) => bucket.bucket) ?? []);
  const asked = frame.search.get("figure");
  const name: FigureName = isFigure(asked) ? asked : "sessions";
  return (
    <ReportCard
      query={query}
      title={words.chart}
      height="h-76.25"
      actions={
        <Scroller className="max-w-full">
          <Segmented label={words.figure} value={name} options={FIGURE_NAMES.map((one) => ({ value: one, label: words.figures[one] }))} onChange={(next) => frame.set("figure", next === "sessions" ? null : next)} className="whitespace-nowrap" />
        </Scroller>
      }
      foot={(answer, isStale) => (
        <AnswerFoot answer={answer} isLive={frame.isLive} isStale={isStale} compared={frame.compared} excludesBots={frame.excludesBots} loadReceipt={() => receiptOf(sessionsSource, question)} />
      )}
    >
      {(answer) => (
        <div className="px-5 pt-1 pb-3">
          <TimeChart
            label={words.chartLabel(words.figures[name])}
            places={answer.buckets.map((bucket) => placeOf(bucket.bucket, answer.interval, bucket.is_incomplete))}
            series={figureSeries(answer, words.figures[name], (bucket) => valueOf(bucket, name))}
            format={FIGURES[name].text}
            kind="area"
            notes={notes}
            height={240}
          />
        </div>
      )}
    </ReportCard>
  );
}
