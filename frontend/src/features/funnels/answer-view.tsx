import type { Funnel, FunnelAnswer } from "@/api/types";
import { paths } from "@/app/paths";
import { AnswerFoot } from "@/features/report/answer-foot";
import { intervalFor } from "@/features/report/places";
import { longerPreset, writeRange } from "@/features/report/range-state";
import { daysIn } from "@/lib/dates";
import { count, span } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Segmented } from "@/ui/segmented";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChartBarDecreasing, ChartColumnDecreasing } from "lucide-react";
import { useRef } from "react";
import { Link } from "react-router";
import { bringIntoView } from "./bring-into-view";
import { clearChanges, clearestStep, comparedDays, drawnBefore } from "./compare-math";
import { biggestDrop, requiredStages, stageRows, type StageRow } from "./funnel-math";
import { MetricCards } from "./metric-cards";
import { ReceiptMore } from "./receipt-more";
import { ReportTabs } from "./report-tabs";
import { receiptQuery, timesQuery, trendQuery, type Question } from "./report-queries";
import { StageColumns } from "./stage-columns";
import { markedStage, readInterval, readLayout, readStage, readTab, withParts, writeStage, writeTab } from "./view-state";
import { w } from "./words";

export interface DayNote {
  day: string;
  text: string;
}

export interface AnswerProps {
  funnel: Funnel;
  question: Question;
  answer: FunnelAnswer;
  isStale: boolean;
  isLive: boolean;
  rangeText: string;
  timeZone: string;
  search: URLSearchParams;
  onGo: (next: URLSearchParams, options?: { replace: boolean }) => void;
  onShowAll: (() => void) | null;
  notes?: readonly DayNote[];
}

const LAYOUTS = [
  { value: "horizontal", label: <ChartColumnDecreasing role="img" aria-label={w.layout.horizontal} className="size-4" /> },
  { value: "vertical", label: <ChartBarDecreasing role="img" aria-label={w.layout.vertical} className="size-4" /> },
] as const;

/** The numbers, the picture, and below them the deeper views. */
export function AnswerView(props: AnswerProps) {
  const { question, answer, isStale, timeZone, search, onGo } = props;
  const rows = stageRows(answer.stages);
  const tabs = useRef<HTMLDivElement>(null);
  const interval = readInterval(search) ?? intervalFor(question.range);
  const times = useQuery(timesQuery(question, answer.data_version));
  const compared = comparedDays(answer.compare);
  // The cards draw the range alone; only the view over time asks for the other days, too.
  const trend = useQuery(trendQuery(question, interval, readTab(search) === "trend" ? compared : null, answer.data_version));
  if ((rows[0]?.users ?? 0) === 0 && (answer.dropped_by_exclusion ?? 0) === 0 && !isStale) return <NobodyEntered {...props} />;
  const selected = readStage(search, rows.length);
  const marked = markedStage(search, rows.length);
  const before = isStale ? null : (answer.compare ?? null);
  const steps = times.data?.times?.steps ?? [];
  const layout = readLayout(search);
  const onSelect = (order: number | null, isPointed = false): void => {
    // A click on the column whose drop is open asks for its people, not for nothing.
    const wanted = order === null && isPointed && marked !== selected ? marked : order;
    onGo(writeStage(search, wanted), { replace: true });
    if (wanted !== null && isPointed) bringIntoView(tabs.current);
  };
  const onDropped = (order: number): void => {
    onGo(writeStage(search, order, "dropped"), { replace: true });
    bringIntoView(tabs.current);
  };
  const onVerdict = (): void => {
    const changed = clearestStep(before);
    onGo(changed ? withParts(writeTab(search, "why"), { step: changed.from_order }) : writeTab(search, "steps"), { replace: true });
    bringIntoView(tabs.current);
  };
  return (
    <div aria-busy={isStale} className={cn("transition-opacity duration-150", isStale && "opacity-55")}>
      <MetricCards
        answer={answer}
        rows={rows}
        before={before}
        total={times.data?.times?.total ?? null}
        trend={trend.data?.trend ?? null}
        onDropped={onDropped}
        onVerdict={onVerdict}
      />
      <Card className="mt-4">
        <div className="hidden justify-end px-5 pt-3 sm:flex">
          <Segmented label={w.layout.label} value={layout} options={LAYOUTS} onChange={(next) => onGo(withParts(search, { layout: next === "horizontal" ? null : next }), { replace: true })} />
        </div>
        {/* What is dimmed keeps its lines: they are of the same answer, and nothing shall jump. */}
        <StageColumns rows={rows} times={steps} before={drawnBefore(rows, answer.compare)} changes={clearChanges(rows, answer.compare)} selected={marked} layout={layout} onSelect={onSelect} onDropped={onDropped} />
        <ShortRange {...props} rows={rows} />
        <Foot {...props} />
      </Card>
      {/* On a phone tall enough from the start that what a click opened can be scrolled to the top. */}
      <div ref={tabs} className="min-h-[calc(100dvh-8rem)] scroll-mt-18 sm:min-h-0 sm:scroll-mt-[30vh]">
        <ReportTabs {...props} rows={rows} before={before} selected={selected} marked={marked} worst={biggestDrop(rows)?.order ?? null} times={times} trend={trend} compared={compared} timeZone={timeZone} />
      </div>
    </div>
  );
}

/** In a range no longer than the window nearly everybody has time: says so, and leads to a longer one. */
function ShortRange({ funnel, question, answer, rows, search, onGo }: AnswerProps & { rows: readonly StageRow[] }) {
  const longer = longerPreset(question.range, funnel.window_seconds ?? null);
  if (longer === null || answer.open === 0 || question.range === null || !rows.some((row) => row.open > 0)) return null;
  const range = t.range.presets[longer].toLowerCase();
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line bg-warning-wash px-5 py-2 text-sm text-warning">
      <span>{w.chart.short(t.range.days(daysIn(question.range)), span(funnel.window_seconds ?? 0))}</span>
      <Button size="sm" onClick={() => onGo(writeRange(search, { preset: longer }))}>
        {w.chart.longer(range)}
      </Button>
    </p>
  );
}

/** What the numbers rest on. */
function Foot({ funnel, question, answer, isStale, isLive }: AnswerProps) {
  const client = useQueryClient();
  const loadReceipt = async () => {
    const { receipt } = await client.fetchQuery(receiptQuery(question, answer.data_version));
    if (!receipt) throw new Error("the answer has no receipt");
    return receipt;
  };
  return (
    <AnswerFoot
      answer={answer}
      isLive={isLive}
      isStale={isStale}
      compared={answer.compare?.date_range ?? null}
      excludesBots={funnel.exclude_bots ?? false}
      loadReceipt={loadReceipt}
      receiptMore={(receipt) => <ReceiptMore funnel={funnel} range={question.range} receipt={receipt} />}
    >
      {(answer.dropped_by_exclusion ?? 0) > 0 && <span>{w.receipt.excluded(count(answer.dropped_by_exclusion ?? 0))}</span>}
      {answer.fallback_people > 0 && <span>{w.receipt.fallback(count(answer.fallback_people))}</span>}
    </AnswerFoot>
  );
}

function NobodyEntered({ funnel, rangeText, onShowAll }: AnswerProps) {
  const words = t.funnel.empty;
  const text = onShowAll ? words.text(rangeText) : words.allText;
  const [ofAll, ofFirst] = [(funnel.filters ?? []).length > 0, (requiredStages(funnel.stages)[0]?.filters ?? []).length > 0];
  return (
    <Card>
      <EmptyState className="py-20" title={words.title} description={ofAll || ofFirst ? `${text} ${w.empty.filters(ofAll, ofFirst)}` : text}>
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
