import { exportReport, reportQuery } from "@/features/report/ask";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { useQuery } from "@tanstack/react-query";
import { trendsSource } from "./queries";
import { SeriesList } from "./series-list";
import { TrendResult } from "./trend-result";
import { questionOf, readTrends, writeTrends, type TrendsChoice } from "./trend-state";
import { words } from "./words";

export default function TrendsPage() {
  return (
    <ReportPage title={words.title} actions={(frame) => <TrendsMenu frame={frame} />}>
      {(frame) => <Trends frame={frame} />}
    </ReportPage>
  );
}

function TrendsMenu({ frame }: { frame: ReportFrame }) {
  const question = questionOf(readTrends(frame.search), frame.question, frame.range);
  return (
    <ReportMenu
      projectId={frame.projectId}
      saveable={question && { kind: "trends", title: words.title, question, view: { chart: readTrends(frame.search).kind }, choice: frame.choice, hasOwnPeriod: frame.compare.with === "custom" }}
      {...(question && { onExport: (format) => exportReport(trendsSource, question, format) })}
    />
  );
}

function Trends({ frame }: { frame: ReportFrame }) {
  const choice = readTrends(frame.search);
  const question = questionOf(choice, frame.question, frame.range);
  const answer = useQuery(reportQuery(trendsSource, question, frame.isLive ? LIVE_POLL_MS : false));
  const change = (next: TrendsChoice): void => frame.go(writeTrends(frame.search, next));
  return (
    <div className="grid items-start gap-4 sm:gap-5 lg:grid-cols-[16.5rem_minmax(0,1fr)]">
      <SeriesList projectId={frame.projectId} choice={choice} onChange={change} />
      {question ? (
        <TrendResult frame={frame} query={answer} question={question} choice={choice} onChange={change} />
      ) : (
        <Card>
          <EmptyState title={words.nothing.title} description={words.nothing.text} className="py-24" />
        </Card>
      )}
    </div>
  );
}
