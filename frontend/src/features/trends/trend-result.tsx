import { useDateNotes } from "@/features/notes/use-date-notes";
import { AnswerFoot } from "@/features/report/answer-foot";
import { receiptOf } from "@/features/report/ask";
import { namesAmong } from "@/features/report/event-choice";
import { GroupPicker } from "@/features/report/group-picker";
import { INTERVALS, intervalFor, placeOf, type Interval } from "@/features/report/places";
import { ReportCard } from "@/features/report/report-card";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { count, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import type { DateNote, Place } from "@/ui/chart/series";
import { SeriesTable } from "@/ui/chart/series-table";
import { TimeChart } from "@/ui/chart/time-chart";
import { Metric } from "@/ui/metric";
import { Segmented } from "@/ui/segmented";
import { NativeSelect, smallSelect } from "@/ui/input";
import type { UseQueryResult } from "@tanstack/react-query";
import { ChartColumn, ChartLine, Hash, Info, Table2 } from "lucide-react";
import { trendsSource, type TrendsAnswer, type TrendsQuestion } from "./queries";
import { TotalsTable } from "./totals-table";
import { drawnSeries, isSampled, LINES_MAX, linesOf, marksOf, rowsOf } from "./trend-lines";
import { KINDS, type TrendsChoice } from "./trend-state";
import { words } from "./words";

const ICONS = { line: ChartLine, bar: ChartColumn, number: Hash, table: Table2 };
const HEIGHT_PX = 340;

interface Props {
  frame: ReportFrame;
  query: UseQueryResult<TrendsAnswer>;
  question: TrendsQuestion;
  choice: TrendsChoice;
  onChange: (choice: TrendsChoice) => void;
}

/** The answer as lines, bars, numbers or a table; below them every total. */
export function TrendResult({ frame, query, question, choice, onChange }: Props) {
  const eventTypes = namesAmong(...choice.series.map((one) => one.event));
  return (
    <ReportCard
      query={query}
      title={words.chart}
      height="h-110"
      actions={
        <div className="flex min-w-0 flex-wrap items-center gap-2">
          <GroupPicker projectId={frame.projectId} groups={choice.groups} onChange={(groups) => onChange({ ...choice, groups })} eventTypes={eventTypes} />
          <NativeSelect aria-label={words.interval} className={smallSelect} value={choice.interval ?? ""} onChange={(changed) => onChange({ ...choice, interval: (changed.target.value || null) as Interval | null })}>
            <option value="">{words.auto(words.intervals[intervalFor(frame.range)])}</option>
            {INTERVALS.map((one) => (
              <option key={one} value={one}>
                {words.intervals[one]}
              </option>
            ))}
          </NativeSelect>
          <Segmented
            label={words.kind}
            value={choice.kind}
            options={KINDS.map((one) => {
              const Icon = ICONS[one];
              return { value: one, label: <Icon role="img" aria-label={words.kinds[one]} className="size-4" /> };
            })}
            onChange={(kind) => onChange({ ...choice, kind })}
          />
        </div>
      }
      foot={(answer, isStale) => (
        <AnswerFoot
          answer={answer}
          isLive={frame.isLive}
          isStale={isStale}
          compared={answer.compare?.date_range ?? null}
          excludesBots={frame.excludesBots}
          isSampled={isSampled(answer)}
          loadReceipt={() => receiptOf(trendsSource, question)}
        />
      )}
    >
      {(answer) => <Answer answer={answer} kind={choice.kind} timeZone={frame.timeZone} projectId={frame.projectId} />}
    </ReportCard>
  );
}

function Answer({ answer, kind, timeZone, projectId }: { answer: TrendsAnswer; kind: TrendsChoice["kind"]; timeZone: string; projectId: string }) {
  const notes = useDateNotes(projectId, answer.buckets.map((bucket) => bucket.date));
  const rows = rowsOf(answer);
  const marks = marksOf(answer, (iso) => moment(iso, timeZone));
  const places = answer.buckets.map((bucket) => placeOf(bucket.date, answer.interval, bucket.is_incomplete));
  return (
    <>
      {marks.length > 0 && (
        <ul className="mx-5 mt-3 flex flex-col gap-1 rounded-lg bg-warning-wash px-3 py-2 text-sm text-warning">
          {marks.map((mark) => (
            <li key={mark} className="stranger flex items-start gap-2">
              <Info aria-hidden className="mt-0.5 size-4 shrink-0" />
              {mark}
            </li>
          ))}
        </ul>
      )}
      <div className="px-5 pt-3 pb-4">
        <Picture answer={answer} kind={kind} places={places} notes={notes} />
        {kind !== "number" && kind !== "table" && rows.length > LINES_MAX && <p className="pt-2 text-xs text-ink-faint">{t.report.moreLines(count(LINES_MAX), count(rows.length))}</p>}
      </div>
      <TotalsTable rows={rows} isCompared={Boolean(answer.compare)} />
    </>
  );
}

function Picture({ answer, kind, places, notes }: { answer: TrendsAnswer; kind: TrendsChoice["kind"]; places: readonly Place[]; notes: readonly DateNote[] }) {
  const rows = rowsOf(answer);
  const lines = linesOf(answer);
  const label = words.chartLabel(lines.slice(0, LINES_MAX).map((line) => line.name).join(", "));
  if (kind === "number") {
    return (
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {rows.map((row) => (
          <Metric key={row.key} label={row.name} value={row.total.value === null ? "–" : count(row.total.value)} delta={row.delta}>
            {!row.delta && row.unit}
          </Metric>
        ))}
      </div>
    );
  }
  const series = drawnSeries(lines, answer.compare ? linesOf(answer.compare) : [], kind === "bar" ? "bar" : "line");
  if (kind === "table") return <SeriesTable label={label} places={places} series={series} format={count} height={HEIGHT_PX} />;
  return <TimeChart label={label} places={places} series={series} format={count} kind={kind} height={HEIGHT_PX} notes={notes} hasTable={false} />;
}
