import { AnswerFoot } from "@/features/report/answer-foot";
import { exportReport, receiptOf, reportQuery } from "@/features/report/ask";
import { ReportCard } from "@/features/report/report-card";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { count } from "@/lib/format";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Segmented } from "@/ui/segmented";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { FlowSentence } from "./flow-sentence";
import { questionOf, readFlow, writeFlow, type FlowChoice } from "./flow-state";
import { FlowTable, Ways } from "./flow-table";
import { pathsSource, type PathsAnswer } from "./queries";
import { EndPattern, Sankey } from "./sankey";
import { words } from "./words";

export default function FlowsPage() {
  return (
    <ReportPage title={words.title} compare={false} actions={(frame) => <FlowsMenu frame={frame} />}>
      {(frame) => <Flows frame={frame} />}
    </ReportPage>
  );
}

function FlowsMenu({ frame }: { frame: ReportFrame }) {
  const question = questionOf(readFlow(frame.search), frame.question);
  return (
    <ReportMenu
      projectId={frame.projectId}
      saveable={question && { kind: "paths", title: words.title, question, choice: frame.choice }}
      {...(question && { onExport: (format) => exportReport(pathsSource, question, format) })}
    />
  );
}

function Flows({ frame }: { frame: ReportFrame }) {
  const choice = readFlow(frame.search);
  const question = questionOf(choice, frame.question);
  // The most expensive question there is: asked anew only when it changes.
  const answer = useQuery(reportQuery(pathsSource, question));
  const change = (next: FlowChoice): void => frame.go(writeFlow(frame.search, next));
  return (
    <>
      <FlowSentence projectId={frame.projectId} choice={choice} onChange={change} />
      {question === null ? (
        <Card>
          <EmptyState title={words.waiting.title} description={words.waiting.text} className="py-24" />
        </Card>
      ) : (
        <ReportCard
          query={answer}
          height="h-110"
          foot={(data, isStale) => (
            <AnswerFoot
              answer={data}
              isLive={false}
              isStale={isStale}
              excludesBots={frame.excludesBots}
              {...(choice.mode !== "drop" && { loadReceipt: () => receiptOf(pathsSource, question) })}
            />
          )}
        >
          {(data) => <Answer projectId={frame.projectId} answer={data} choice={choice} onChange={change} />}
        </ReportCard>
      )}
    </>
  );
}

interface AnswerProps {
  projectId: string;
  answer: PathsAnswer;
  choice: FlowChoice;
  onChange: (choice: FlowChoice) => void;
}

function Answer({ projectId, answer, choice, onChange }: AnswerProps) {
  if (answer.entities === 0) return <EmptyState title={words.nothing.title} description={words.nothing.text} className="py-24" />;
  return (
    <>
      <div className="px-5 pt-4 pb-3">
        <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
          <p className="figures text-sm text-ink-soft">{words.followed[answer.unit](count(answer.entities))}</p>
          <div className="flex flex-wrap items-center gap-4">
            {choice.view === "chart" && <Legend answer={answer} />}
            <Segmented
              label={words.view}
              value={choice.view}
              options={[
                { value: "chart", label: words.views.chart },
                { value: "table", label: words.views.table },
              ]}
              onChange={(view) => onChange({ ...choice, view })}
            />
          </div>
        </div>
        {choice.view === "chart" ? <Sankey projectId={projectId} answer={answer} choice={choice} onChange={onChange} /> : <FlowTable answer={answer} />}
      </div>
      <Ways answer={answer} />
    </>
  );
}

function Legend({ answer }: { answer: PathsAnswer }) {
  const pattern = useId().replace(/[^\w-]/g, "");
  return (
    <ul aria-hidden className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-faint">
      <li className="flex items-center gap-1.5">
        <svg width="22" height="10">
          <rect width="22" height="10" rx="2" fill="var(--series-1)" fillOpacity="0.25" />
        </svg>
        {words.legend.strand}
      </li>
      {answer.direction !== "between" && (
        <li className="flex items-center gap-1.5">
          <svg width="22" height="10">
            <EndPattern id={pattern} isLoss={answer.direction !== "backward"} />
            <rect width="22" height="10" rx="2" fill={`url(#${pattern})`} />
          </svg>
          {answer.direction === "backward" ? words.legend.came : words.legend.lost}
        </li>
      )}
    </ul>
  );
}
