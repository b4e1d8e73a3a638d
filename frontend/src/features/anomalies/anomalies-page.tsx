import type { AnomaliesAnswer } from "@/api/types";
import { paths } from "@/app/paths";
import { AnswerFoot } from "@/features/report/answer-foot";
import { ReportCard } from "@/features/report/report-card";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { saveFile } from "@/api/files";
import { count, day } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { TimeChart } from "@/ui/chart/time-chart";
import { EmptyState } from "@/ui/empty-state";
import { Segmented } from "@/ui/segmented";
import { useQuery } from "@tanstack/react-query";
import { Bell, CalendarX2, TrendingDown, TrendingUp } from "lucide-react";
import { Link } from "react-router";
import { anomaliesQuery, anomaliesReceipt, type Measure, type Sensitivity } from "./queries";
import { chartOf, ordered, typeName } from "./series-math";
import { words } from "./words";

const SENSITIVITIES: readonly Sensitivity[] = ["low", "medium", "high"];
const MEASURES: readonly Measure[] = ["events", "people"];
const oneOf = <Value extends string>(said: string | null, known: readonly Value[], unsaid: Value): Value => known.find((one) => one === said) ?? unsaid;

export default function AnomaliesPage() {
  return (
    <ReportPage
      title={words.title}
      lead={words.lead}
      compare={false}
      actions={(frame) => (
        <>
          <Button asChild>
            <Link to={`${paths.alerts(frame.projectId)}?new=anomaly`}>
              <Bell aria-hidden className="size-3.5 text-ink-faint" />
              {words.alert}
            </Link>
          </Button>
          <ReportMenu
            onExport={(format) => saveFile("/api/v1/analytics/anomalies", `anomalies.${format}`, { ...frame.question, include: [], ...optionsOf(frame), format })}
          />
        </>
      )}
    >
      {(frame) => <Report frame={frame} />}
    </ReportPage>
  );
}

function optionsOf(frame: ReportFrame): { measure: Measure; sensitivity: Sensitivity } {
  return {
    measure: oneOf(frame.search.get("measure"), MEASURES, "events"),
    sensitivity: oneOf(frame.search.get("sensitivity"), SENSITIVITIES, "medium"),
  };
}

function Report({ frame }: { frame: ReportFrame }) {
  const { measure, sensitivity } = optionsOf(frame);
  const query = useQuery(anomaliesQuery(frame, measure, sensitivity));
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 text-sm">
        <div className="flex items-center gap-2">
          <span className="text-ink-soft">{words.sensitivity}</span>
          <Segmented
            label={words.sensitivity}
            value={sensitivity}
            options={SENSITIVITIES.map((value) => ({ value, label: words.sensitivities[value] }))}
            onChange={(value) => frame.set("sensitivity", value === "medium" ? null : value)}
          />
        </div>
        <div className="flex items-center gap-2">
          <span className="text-ink-soft">{words.measure}</span>
          <Segmented
            label={words.measure}
            value={measure}
            options={MEASURES.map((value) => ({ value, label: words.measures[value] }))}
            onChange={(value) => frame.set("measure", value === "events" ? null : value)}
          />
        </div>
      </div>
      <ReportCard
        query={query}
        title={words.findings}
        {...(query.data && { description: words.findingsLead(count(query.data.days_judged)) })}
        foot={(answer, isStale) => (
          <AnswerFoot
            answer={{ ...answer, date_range: { start: answer.date_range.start ?? null, end: answer.date_range.end ?? null } }}
            isLive={frame.isLive}
            isStale={isStale}
            excludesBots={frame.excludesBots}
            loadReceipt={() => anomaliesReceipt(frame, measure, sensitivity)}
          />
        )}
      >
        {(answer) => <Findings answer={answer} projectId={frame.projectId} />}
      </ReportCard>
      {query.data && (
        <div className={cn("grid gap-4 lg:grid-cols-2", query.isPlaceholderData && "opacity-55")}>
          {ordered(query.data.series, query.data.findings).map((series) => {
            const chart = chartOf(series, query.data.findings, query.data.days_without_data);
            return (
              <Card key={series.event_type} className="min-w-0">
                <CardHead title={<Name>{typeName(series.event_type)}</Name>} {...(series.text && { description: series.text })} />
                <div className="p-5 pt-3">
                  <TimeChart
                    label={words.chart(typeName(series.event_type))}
                    places={chart.places}
                    series={chart.lines}
                    notes={chart.notes}
                    format={count}
                    height={180}
                  />
                </div>
              </Card>
            );
          })}
        </div>
      )}
    </div>
  );
}

function Findings({ answer, projectId }: { answer: AnomaliesAnswer; projectId: string }) {
  const isJudged = answer.series.some((series) => series.is_judged);
  if (answer.findings.length === 0 && answer.days_without_data.length === 0) {
    return <EmptyState {...(isJudged || answer.series.length === 0 ? { title: words.none.title, description: words.none.text } : { title: words.tooShort.title, description: words.tooShort.text })} />;
  }
  return (
    <ul className="divide-y divide-line px-5 py-2">
      {answer.findings.map((one) => {
        const Icon = one.direction === "up" ? TrendingUp : TrendingDown;
        const events = `${paths.events(projectId)}?from=${one.bucket}&to=${one.bucket}${one.event_type === "*" ? "" : `&event=${encodeURIComponent(one.event_type)}`}`;
        return (
          <li key={`${one.event_type} ${one.bucket}`} className="flex items-start gap-3 py-2.5">
            <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", one.direction === "up" ? "text-accent-ink" : "text-danger")} />
            <div className="min-w-0 flex-1">
              <p dir="auto" className="stranger">
                {one.text}
              </p>
              <p className="figures mt-0.5 text-xs text-ink-faint">
                {words.more(count(Math.round(Math.abs(one.score) * 10) / 10), one.direction === "up" ? words.up : words.down)}
                {" · "}
                <Link className="rounded text-accent-ink underline underline-offset-2 hover:no-underline" to={events}>
                  {words.seeEvents}
                </Link>
              </p>
            </div>
            <Badge className="hidden sm:inline-flex">{day(one.bucket)}</Badge>
          </li>
        );
      })}
      {answer.days_without_data.map((one) => (
        <li key={one.bucket} className="flex items-start gap-3 py-2.5">
          <CalendarX2 aria-hidden className="mt-0.5 size-4 shrink-0 text-ink-faint" />
          <p className="min-w-0 flex-1">{one.text}</p>
          <Badge className="hidden sm:inline-flex">{day(one.bucket)}</Badge>
        </li>
      ))}
    </ul>
  );
}

function Name({ children }: { children: string }) {
  return (
    <span dir="auto" className="stranger line-clamp-1">
      {children}
    </span>
  );
}
