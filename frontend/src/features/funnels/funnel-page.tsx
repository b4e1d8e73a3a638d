import type { Funnel, FunnelAnswer } from "@/api/types";
import { paths } from "@/app/paths";
import { useFunnelId, useProjectId } from "@/app/route-ids";
import { projectQuery } from "@/features/projects/queries";
import { previousRange, todayIn } from "@/lib/dates";
import { clock, count, day, dayRange, milliseconds, span } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { FunnelMenu } from "./funnel-menu";
import { stageRows } from "./funnel-math";
import { MetricCards, MetricSkeleton } from "./metric-cards";
import { answerQuery, funnelQuery } from "./queries";
import { RangePicker } from "./range-picker";
import { daysOf, isLive, readRange, readStage, writeRange, writeStage } from "./range-state";
import { StageColumns } from "./stage-columns";
import { StagePanel } from "./stage-panel";
import { StageTable } from "./stage-table";

export default function FunnelPage() {
  const projectId = useProjectId();
  const funnelId = useFunnelId();
  const funnel = useQuery(funnelQuery(funnelId));
  const project = useQuery(projectQuery(projectId));
  const error = funnel.error ?? project.error;
  if (error && !(funnel.data && project.data)) {
    return <Failure error={error} onRetry={() => void Promise.all([funnel.refetch(), project.refetch()])} />;
  }
  if (!funnel.data || !project.data) return <FunnelSkeleton />;
  return <FunnelReport key={funnelId} funnel={funnel.data} projectId={projectId} timeZone={project.data.timezone} />;
}

interface ReportProps {
  funnel: Funnel;
  projectId: string;
  timeZone: string;
}

function FunnelReport({ funnel, projectId, timeZone }: ReportProps) {
  const [search, setSearch] = useSearchParams();
  const today = todayIn(timeZone, new Date());
  const choice = readRange(search);
  const range = daysOf(choice, today);
  const live = isLive(range, today);
  const answer = useQuery(answerQuery(funnel.id, range, live));
  const before = useQuery({ ...answerQuery(funnel.id, range && previousRange(range), false), enabled: range !== null });
  const rangeText = choice.preset === "custom" ? dayRange(choice.range) : t.range.presets[choice.preset].toLowerCase();
  const patch = (next: URLSearchParams): void => setSearch(next, { replace: true, preventScrollReset: true });
  return (
    <>
      <PageHead
        title={funnel.name}
        parent={{ to: paths.funnels(projectId), label: t.funnels.title }}
        lead={<Sentence funnel={funnel} rangeText={rangeText} />}
      >
        <RangePicker
          choice={choice}
          today={today}
          timeZone={timeZone}
          onChange={(next) => setSearch(writeRange(search, next), { preventScrollReset: true })}
        />
        <Button asChild>
          <Link to={paths.editFunnel(projectId, funnel.id)}>
            <Pencil aria-hidden className="size-3.5 text-ink-faint" />
            {t.funnel.edit}
          </Link>
        </Button>
        <FunnelMenu funnel={funnel} />
      </PageHead>
      {answer.data ? (
        <AnswerView
          funnel={funnel}
          answer={answer.data}
          before={range && !before.isPlaceholderData ? (before.data ?? null) : null}
          isStale={answer.isPlaceholderData}
          isLive={live}
          rangeText={rangeText}
          timeZone={timeZone}
          onShowAll={range ? () => setSearch(writeRange(search, { preset: "all" })) : null}
          selected={readStage(search, answer.data.stages.length)}
          onSelect={(order) => patch(writeStage(search, order))}
        />
      ) : answer.isError ? (
        <Card>
          <Failure error={answer.error} onRetry={() => void answer.refetch()} />
        </Card>
      ) : (
        <AnswerSkeleton />
      )}
    </>
  );
}

function Sentence({ funnel, rangeText }: { funnel: Funnel; rangeText: string }) {
  const words = t.funnel.sentence;
  const stages = [...funnel.stages].sort((one, two) => (one.order ?? 0) - (two.order ?? 0));
  const window = funnel.window_seconds === null || funnel.window_seconds === undefined ? words.noWindow : words.within(span(funnel.window_seconds));
  return (
    <>
      {words.people}{" "}
      {stages.map((stage, index) => (
        <span key={index}>
          {index > 0 && ` ${words.then} `}
          <span dir="auto" className="stranger font-medium text-ink">
            {stage.name}
          </span>
        </span>
      ))}{" "}
      {`${window}, ${rangeText}.`}
    </>
  );
}

interface AnswerProps {
  funnel: Funnel;
  answer: FunnelAnswer;
  before: FunnelAnswer | null;
  isStale: boolean;
  isLive: boolean;
  rangeText: string;
  timeZone: string;
  onShowAll: (() => void) | null;
  selected: number | null;
  onSelect: (order: number | null) => void;
}

function AnswerView({ funnel, answer, before, isStale, isLive: live, rangeText, timeZone, onShowAll, selected, onSelect }: AnswerProps) {
  const rows = stageRows(answer.stages);
  if ((rows[0]?.users ?? 0) === 0 && !isStale) {
    return <NobodyEntered funnel={funnel} rangeText={rangeText} onShowAll={onShowAll} />;
  }
  const row = rows.find((one) => one.order === selected);
  return (
    <div aria-busy={isStale} className={cn("transition-opacity duration-150", isStale && "opacity-55")}>
      <MetricCards answer={answer} rows={rows} before={before} isComparing={onShowAll !== null} />
      <Card className="mt-4">
        <StageColumns rows={rows} selected={selected} onSelect={onSelect} />
        {row && (
          <StagePanel
            row={row}
            next={rows[row.order]}
            definition={funnel.stages.find((stage, index) => (stage.order ?? index + 1) === row.order)}
            onClose={() => onSelect(null)}
          />
        )}
        <Receipt answer={answer} before={before} isStale={isStale} isLive={live} timeZone={timeZone} />
      </Card>
      <StageTable rows={rows} before={before} selected={selected} />
    </div>
  );
}

interface ReceiptProps {
  answer: FunnelAnswer;
  before: FunnelAnswer | null;
  isStale: boolean;
  isLive: boolean;
  timeZone: string;
}

/** What the numbers rest on: the days and their zone, the age and version of the data. */
function Receipt({ answer, before, isStale, isLive: live, timeZone }: ReceiptProps) {
  const { start, end } = answer.date_range;
  const asOf = typeof answer.as_of === "string" ? answer.as_of : null;
  const parts = [
    start && end ? `${start === end ? day(start) : dayRange({ start, end })}, ${timeZone}` : timeZone,
    before?.date_range.start && before.date_range.end
      ? t.range.comparedWith(dayRange({ start: before.date_range.start, end: before.date_range.end }))
      : null,
    typeof answer.rows_read === "number" && typeof answer.elapsed_ms === "number"
      ? t.funnel.receipt.cost(count(answer.rows_read), milliseconds(answer.elapsed_ms))
      : null,
    t.funnel.receipt.version(answer.data_version),
    t.funnel.receipt.semantics(String(answer.semantics_version)),
  ].filter((part): part is string => Boolean(part));
  return (
    <footer className="figures flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-5 py-2.5 text-xs text-ink-faint">
      {asOf && (
        <span className="inline-flex items-center gap-1.5">
          {live && <span aria-hidden className="size-1.5 rounded-full bg-positive" />}
          {live ? `${t.funnel.receipt.asOf(clock(asOf, timeZone))}, ${t.funnel.receipt.live}` : t.funnel.receipt.asOf(clock(asOf, timeZone))}
        </span>
      )}
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
      {isStale && <Spinner className="size-3.5" />}
    </footer>
  );
}

function NobodyEntered({ funnel, rangeText, onShowAll }: { funnel: Funnel; rangeText: string; onShowAll: (() => void) | null }) {
  const words = t.funnel.empty;
  return (
    <Card>
      <EmptyState className="py-20" title={words.title} description={onShowAll ? words.text(rangeText) : words.allText}>
        {onShowAll && (
          <Button variant="primary" onClick={onShowAll}>
            {words.all}
          </Button>
        )}
        <Button asChild>
          <Link to={paths.editFunnel(funnel.project_id, funnel.id)}>{words.edit}</Link>
        </Button>
      </EmptyState>
    </Card>
  );
}

function AnswerSkeleton() {
  return (
    <div aria-busy="true" aria-label={t.states.loading}>
      <MetricSkeleton />
      <Skeleton className="mt-4 h-100 rounded-xl" />
    </div>
  );
}

function FunnelSkeleton() {
  return (
    <div>
      <Skeleton className="h-7 w-64" />
      <Skeleton className="mt-2 mb-6 h-5 w-96 max-w-full" />
      <AnswerSkeleton />
    </div>
  );
}
