import { projectQuery, statusQuery } from "@/features/projects/queries";
import { useProjectId } from "@/app/route-ids";
import { exportReport } from "@/features/report/ask";
import { isInterval, intervalFor } from "@/features/report/places";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { reportQuery } from "@/features/report/ask";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { PRESET_DAYS } from "@/features/report/range-state";
import { lastDays } from "@/lib/dates";
import { PageHead } from "@/ui/page-head";
import { useQuery } from "@tanstack/react-query";
import { FigureCards } from "./figure-cards";
import { FigureChart } from "./figure-chart";
import { FiringAlerts } from "./firing-alerts";
import { FirstFunnel } from "./first-funnel";
import { NoEvents } from "./no-events";
import { overviewSource, type OverviewQuestion } from "./queries";
import { VisitLists } from "./visit-lists";
import { words } from "./words";

const PAGES = 10;

export default function OverviewPage() {
  const projectId = useProjectId();
  const status = useQuery(statusQuery(projectId));
  const project = useQuery(projectQuery(projectId));
  if (status.data?.events_total === 0 && project.data) {
    return (
      <>
        <PageHead title={words.title} />
        <NoEvents projectId={projectId} />
      </>
    );
  }
  return (
    <ReportPage
      title={words.title}
      compare="previous"
      actions={(frame) => (
        <ReportMenu
          projectId={frame.projectId}
          saveable={{ kind: "overview", title: words.title, question: questionOf(frame), choice: frame.choice, hasOwnPeriod: frame.compare.with === "custom" }}
          onExport={(format) => exportReport(overviewSource, questionOf(frame), format)}
        />
      )}
    >
      {(frame) => <Overview frame={frame} />}
    </ReportPage>
  );
}

function questionOf(frame: ReportFrame): OverviewQuestion {
  const asked = frame.search.get("interval");
  return { ...frame.question, interval: isInterval(asked) ? asked : intervalFor(frame.range), lists: [], limit: PAGES };
}

function Overview({ frame }: { frame: ReportFrame }) {
  const question = questionOf(frame);
  const answer = useQuery(reportQuery(overviewSource, question, frame.isLive ? LIVE_POLL_MS : false));
  return (
    <div className="flex flex-col gap-4 sm:gap-5">
      <FigureCards query={answer} />
      <FigureChart query={answer} frame={frame} question={question} />
      <VisitLists frame={frame} pages={answer} />
      <div className="grid items-stretch gap-4 sm:gap-5 lg:grid-cols-2">
        <FirstFunnel projectId={frame.projectId} range={frame.range ?? lastDays(PRESET_DAYS["12m"], frame.today)} />
        <FiringAlerts projectId={frame.projectId} timeZone={frame.timeZone} />
      </div>
    </div>
  );
}
