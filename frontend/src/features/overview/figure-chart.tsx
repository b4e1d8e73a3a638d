import { useDateNotes } from "@/features/notes/use-date-notes";
import { AnswerFoot } from "@/features/report/answer-foot";
import { receiptOf } from "@/features/report/ask";
import { figureSeries } from "@/features/report/figure-series";
import { placeOf } from "@/features/report/places";
import { ReportCard } from "@/features/report/report-card";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { TimeChart } from "@/ui/chart/time-chart";
import { Segmented } from "@/ui/segmented";
import type { UseQueryResult } from "@tanstack/react-query";
import { FIGURES, FIGURE_NAMES, isFigure, valueOf, type FigureName } from "./figures";
import { overviewSource, type OverviewAnswer, type OverviewQuestion } from "./queries";
import { words } from "./words";

interface Props {
  query: UseQueryResult<OverviewAnswer>;
  frame: ReportFrame;
  question: OverviewQuestion;
}

/** One figure over time, the compared days dotted behind it. */
export function FigureChart({ query, frame, question }: Props) {
  const notes = useDateNotes(frame.projectId, query.data?.buckets.map((bucket) => bucket.bucket) ?? []);
  const asked = frame.search.get("measure");
  const name: FigureName = isFigure(asked) ? asked : "people";
  return (
    <ReportCard
      query={query}
      title={words.chart}
      height="h-76.25"
      actions={
        <Segmented
          label={words.measure}
          value={name}
          options={FIGURE_NAMES.map((one) => ({ value: one, label: words.measures[one] }))}
          onChange={(next) => frame.set("measure", next === "people" ? null : next)}
          className="max-w-full flex-wrap"
        />
      }
      foot={(answer, isStale) => (
        <AnswerFoot
          answer={answer}
          isLive={frame.isLive}
          isStale={isStale}
          compared={frame.compared}
          excludesBots={frame.excludesBots}
          loadReceipt={() => receiptOf(overviewSource, question)}
        />
      )}
    >
      {(answer) => (
        <div className="px-5 pt-1 pb-3">
          <TimeChart
            label={words.chartLabel(words.measures[name])}
            places={answer.buckets.map((bucket) => placeOf(bucket.bucket, answer.interval, bucket.is_incomplete))}
            series={figureSeries(answer, words.measures[name], (bucket) => valueOf(bucket, name))}
            format={FIGURES[name].text}
            axisFormat={FIGURES[name].text}
            kind="area"
            height={240}
            notes={notes}
          />
        </div>
      )}
    </ReportCard>
  );
}
