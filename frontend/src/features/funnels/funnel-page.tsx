import type { Funnel } from "@/api/types";
import { paths } from "@/app/paths";
import { useFunnelId, useProjectId } from "@/app/route-ids";
import { useMay } from "@/features/account/use-role";
import { dayOfNote } from "@/features/notes/note-places";
import { notesQuery } from "@/features/notes/queries";
import { projectQuery } from "@/features/projects/queries";
import { ShareButton } from "@/features/sharing/share-button";
import { ComparePicker } from "@/features/report/compare-picker";
import { RangePicker } from "@/features/report/range-picker";
import { comparedDays, daysOf, isLive, readCompare, readRange, writeCompare, writeRange } from "@/features/report/range-state";
import { todayIn } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { AnswerView, type DayNote } from "./answer-view";
import { FunnelMenu } from "./funnel-menu";
import { stageRows } from "./funnel-math";
import { MetricSkeleton } from "./metric-cards";
import { funnelQuery } from "./queries";
import { answerQuery } from "./report-queries";
import { orderedStages, sentenceText, shortened, windowText } from "./sentence-text";
import { sharedQuestion } from "./shared-question";
import { conditionText } from "./stage-definition";
import { useTakeAlong } from "./use-take-along";
import { w } from "./words";

const CONDITIONS_SAID = 2;
const FILTERS_SAID = 4;

export default function FunnelPage() {
  const projectId = useProjectId();
  const funnelId = useFunnelId();
  const funnel = useQuery(funnelQuery(funnelId));
  const project = useQuery(projectQuery(projectId));
  const notes = useQuery(notesQuery(projectId, null));
  const mayMake = useMay("editor");
  const error = funnel.error ?? project.error;
  if (error && !(funnel.data && project.data)) {
    return <Failure error={error} onRetry={() => void Promise.all([funnel.refetch(), project.refetch()])} />;
  }
  if (!funnel.data || !project.data) return <FunnelSkeleton />;
  return (
    <FunnelReport
      key={funnelId}
      funnel={funnel.data}
      projectId={projectId}
      timeZone={project.data.timezone}
      notes={(notes.data ?? []).map((note) => ({ day: dayOfNote(note.start, project.data.timezone), text: note.text }))}
      mayShare={mayMake}
    />
  );
}

interface ReportProps {
  funnel: Funnel;
  projectId: string;
  timeZone: string;
  /** Whether there is a button that makes a read-only link of what is shown. */
  mayShare?: boolean;
  /** What is known of certain days, for the trend. */
  notes?: readonly DayNote[];
}

/** Everything about one funnel; which days, which view and which person is in the address. */
function FunnelReport({ funnel, projectId, timeZone, mayShare = false, notes }: ReportProps) {
  const [search, setSearch] = useSearchParams();
  const today = todayIn(timeZone, new Date());
  const choice = readRange(search);
  const range = daysOf(choice, today);
  const compare = readCompare(search, "previous");
  const compared = range && comparedDays(compare, range, choice.preset);
  const question = { funnelId: funnel.id, range };
  const live = isLive(range, today);
  const answer = useQuery(answerQuery(question, compared, live));
  const rangeText = choice.preset === "custom" ? dayRange(choice.range) : t.range.presets[choice.preset].toLowerCase();
  const go = (next: URLSearchParams, options?: { replace: boolean }): void => setSearch(next, { ...options, preventScrollReset: true });
  const rows = answer.data ? stageRows(answer.data.stages) : [];
  const take = useTakeAlong({ funnel, rows, answer: answer.data ?? null, lead: sentenceText(funnel, rangeText), timeZone });
  return (
    <>
      <PageHead
        title={funnel.name}
        parent={{ to: paths.funnels(projectId), label: t.funnels.title }}
        lead={<Sentence funnel={funnel} rangeText={rangeText} />}
      >
        <RangePicker choice={choice} today={today} timeZone={timeZone} onChange={(next) => go(writeRange(search, next))} />
        <ComparePicker choice={compare} range={range} preset={choice.preset} today={today} onChange={(next) => go(writeCompare(search, next, "previous"))} />
        {mayShare && <ShareButton projectId={projectId} kind="funnel" targetId={funnel.id} name={funnel.name} question={sharedQuestion(compare, choice, range)} choice={choice} />}
        <Button asChild>
          <Link to={paths.editFunnel(projectId, funnel.id)}>
            <Pencil aria-hidden className="size-3.5 text-ink-faint" />
            {t.funnel.edit}
          </Link>
        </Button>
        <FunnelMenu funnel={funnel} {...(answer.data && { onPicture: take.picture, onCsv: take.csv })} />
      </PageHead>
      <Filters filters={funnel.filters ?? []} />
      {answer.data ? (
        <AnswerView
          funnel={funnel}
          question={question}
          answer={answer.data}
          isStale={answer.isPlaceholderData}
          isLive={live}
          rangeText={rangeText}
          timeZone={timeZone}
          search={search}
          onGo={go}
          onShowAll={range ? () => go(writeRange(search, { preset: "all" })) : null}
          {...(notes && { notes })}
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
  return (
    <>
      {funnel.unit === "session" ? w.sentence.sessions : words.people}{" "}
      {orderedStages(funnel).map((stage, index) => (
        <span key={index}>
          {index > 0 && ` ${w.sentence.then[funnel.order ?? "ordered"]} `}
          <span dir="auto" className="stranger font-medium text-ink">
            {stage.name}
          </span>
          <Where filters={stage.filters ?? []} />
          {stage.optional && ` ${w.sentence.optional}`}
        </span>
      ))}{" "}
      {`${windowText(funnel)}, ${rangeText}${w.sentence.more(funnel)}.`}
    </>
  );
}

/** What a stage asks of its event; more than two conditions are only counted. */
function Where({ filters }: { filters: NonNullable<Funnel["stages"][number]["filters"]> }) {
  if (filters.length === 0) return null;
  const said = filters.slice(0, CONDITIONS_SAID).map((filter) => conditionText({ ...filter }));
  const more = filters.length - said.length;
  return (
    <span dir="auto" className="stranger">
      {` ${w.sentence.where(said, more)}`}
    </span>
  );
}

/** What every stage asks of its events, below the sentence, which may be cut. */
function Filters({ filters }: { filters: NonNullable<Funnel["filters"]> }) {
  if (filters.length === 0) return null;
  const texts = filters.map((filter) => conditionText({ ...filter }));
  const said = texts.slice(0, FILTERS_SAID);
  return (
    <p className="-mt-4 mb-6 line-clamp-3 max-w-[96ch] text-base text-ink-soft">
      {w.sentence.onlyWhere}{" "}
      {said.map((text, index) => (
        <span key={index}>
          {index > 0 && ` ${w.sentence.and} `}
          <span dir="auto" title={text} className="stranger font-medium text-ink">
            {shortened(text)}
          </span>
        </span>
      ))}
      {texts.length > said.length && ` ${w.sentence.andMore(texts.length - said.length)}`}
    </p>
  );
}

function AnswerSkeleton() {
  return (
    <div aria-busy="true" aria-label={t.states.loading}>
      <MetricSkeleton />
      <Skeleton className="mt-4 h-104 rounded-xl" />
      <Skeleton className="mt-4 h-72 rounded-xl" />
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
