import { paths } from "@/app/paths";
import { exportReport, reportQuery } from "@/features/report/ask";
import { metricDelta, untoned } from "@/features/report/deltas";
import { intervalFor } from "@/features/report/places";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { cn } from "@/lib/class-names";
import { compactCount, count } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Failure } from "@/ui/notice";
import { Metric } from "@/ui/metric";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { sessionsSource, type Figures, type SessionsAnswer, type SessionsQuestion } from "./queries";
import { SessionChart } from "./session-chart";
import { SessionLists } from "./session-lists";
import { FIGURES, FIGURE_NAMES, lengthOf, valueOf, type FigureName } from "./session-math";
import { words } from "./words";

/** Skeleton and number have one height, with room for a second line. */
const GRID = "grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-5 [&>*]:min-h-39";

export default function SessionsPage() {
  return (
    <ReportPage
      title={words.title}
      lead={words.lead}
      compare="previous"
      actions={(frame) => (
        <ReportMenu
          projectId={frame.projectId}
          saveable={{ kind: "sessions", title: words.title, question: questionOf(frame), choice: frame.choice, hasOwnPeriod: frame.compare.with === "custom" }}
          onExport={(format) => exportReport(sessionsSource, questionOf(frame), format)}
        />
      )}
    >
      {(frame) => <Sessions frame={frame} />}
    </ReportPage>
  );
}

const questionOf = (frame: ReportFrame): SessionsQuestion => ({ ...frame.question, interval: intervalFor(frame.range) });

function Sessions({ frame }: { frame: ReportFrame }) {
  const question = questionOf(frame);
  const answer = useQuery(reportQuery(sessionsSource, question, frame.isLive ? LIVE_POLL_MS : false));
  if (answer.data?.total.sessions === 0 && !answer.isPlaceholderData) return <NoSessions frame={frame} />;
  return (
    <div className="flex flex-col gap-4">
      {frame.conditions.length > 0 && <p className="-mt-1 text-sm text-ink-faint">{words.filterNote}</p>}
      <FigureCards answer={answer.data} error={answer.error} isStale={answer.isPlaceholderData} onRetry={() => void answer.refetch()} />
      <SessionChart query={answer} frame={frame} question={question} />
      <SessionLists frame={frame} question={question} />
    </div>
  );
}

interface CardsProps {
  answer: SessionsAnswer | undefined;
  error: unknown;
  isStale: boolean;
  onRetry: () => void;
}

function FigureCards({ answer, error, isStale, onRetry }: CardsProps) {
  if (!answer) {
    if (error) return <Failure error={error} onRetry={onRetry} className="rounded-xl border border-line bg-surface" />;
    return (
      <div className={GRID} aria-busy="true">
        {FIGURE_NAMES.map((name) => (
          <Skeleton key={name} className="rounded-xl" />
        ))}
      </div>
    );
  }
  return (
    <div className={cn(GRID, "transition-opacity duration-150", isStale && "opacity-55")} aria-busy={isStale}>
      {FIGURE_NAMES.map((name) => {
        const { text, isRate = false, better } = FIGURES[name];
        const now = valueOf(answer.total, name);
        const delta = untoned(metricDelta(now, answer.compare ? valueOf(answer.compare.total, name) : null, { text, better, isRate }), answer.buckets);
        return (
          <Metric key={name} label={words.figures[name]} value={now === null ? "–" : text(now)} {...(now !== null && { exact: count(now) })} delta={delta} {...(name === "people" && { hint: words.peopleHint })} className="[&>p]:sm:text-2xl">
            <span className="block">{noteOf(answer.total, name)}</span>
          </Metric>
        );
      })}
    </div>
  );
}

/** The second number of each card. */
function noteOf(total: Figures, name: FigureName): string {
  const notes = words.notes;
  if (name === "average_seconds") return total.median_seconds === null ? "" : notes.median(lengthOf(total.median_seconds));
  if (name === "views_per_session") return total.events_per_session === null ? "" : notes.events(count(Math.round(total.events_per_session * 10) / 10));
  if (name === "bounce_rate") return notes.bounces(compactCount(total.bounces));
  if (name === "people") return total.people === 0 ? "" : notes.each(count(Math.round((10 * total.sessions) / total.people) / 10));
  return notes.views(compactCount(total.page_views));
}

function NoSessions({ frame }: { frame: ReportFrame }) {
  return (
    <Card>
      <EmptyState title={words.empty.title} description={words.empty.text}>
        {frame.choice.preset !== "all" && <Button onClick={() => frame.setChoice({ preset: "all" })}>{words.empty.all}</Button>}
        <Button asChild>
          <Link to={paths.setup(frame.projectId)}>{words.empty.setup}</Link>
        </Button>
      </EmptyState>
    </Card>
  );
}
