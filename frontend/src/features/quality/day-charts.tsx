import { ReportCard } from "@/features/report/report-card";
import { DoorNote } from "@/features/setup/door-note";
import type { Day, DayRange } from "@/lib/dates";
import { count, compactCount, day, percent } from "@/lib/format";
import { BarList } from "@/ui/chart/bar-list";
import { TimeChart } from "@/ui/chart/time-chart";
import { Metric } from "@/ui/metric";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { knownSince, placesOf, refusedSeries, storedSeries } from "./quality-math";
import { qualityQuery } from "./queries";
import { reasonLabel, reasonText, words } from "./words";

interface Props {
  projectId: string;
  range: DayRange;
  today: Day;
}

type Answer = NonNullable<ReturnType<typeof useQuality>["data"]>;

const useQuality = (projectId: string, range: DayRange) => useQuery(qualityQuery(projectId, range));

export function DayCharts({ projectId, range, today }: Props) {
  const quality = useQuality(projectId, range);
  const [search, setSearch] = useSearchParams();
  const open = (reason: string): void => {
    const next = new URLSearchParams(search);
    next.set("tab", "refused");
    next.set("reason", reason);
    setSearch(next);
  };
  const hasReasons = Object.values(quality.data?.totals.reasons ?? {}).some((amount) => amount > 0);
  return (
    <div className="flex flex-col gap-4">
      <Totals answer={quality.data} />
      <ReportCard query={quality} title={words.charts.stored} height="h-60">
        {(answer) => (
          <div className="p-5 pt-1">
            <TimeChart label={words.charts.storedHelp} places={placesOf(answer.days, today)} series={storedSeries(answer.days)} format={count} height={220} kind="line" />
          </div>
        )}
      </ReportCard>
      <ReportCard query={quality} title={words.charts.refused} description={hasReasons && words.charts.refusedLead} height="h-60">
        {(answer) => <Refused projectId={projectId} answer={answer} today={today} onOpen={open} />}
      </ReportCard>
    </div>
  );
}

function Totals({ answer }: { answer: Answer | undefined }) {
  const said = words.totals;
  const totals = answer?.totals;
  const number = (value: number | undefined): string => (value === undefined ? "–" : compactCount(value));
  const exact = (value: number | undefined): { exact?: string } => (value === undefined ? {} : { exact: count(value) });
  return (
    <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-4" aria-busy={!answer}>
      <Metric label={said.stored} value={number(totals?.stored)} {...exact(totals?.stored)}>
        {said.storedNote}
      </Metric>
      <Metric label={said.bots} value={number(totals?.bots)} {...exact(totals?.bots)}>
        {totals && totals.stored > 0 ? said.botsNote(percent((100 * totals.bots) / totals.stored)) : said.none}
      </Metric>
      <Metric label={said.duplicates} value={number(totals?.duplicates)} {...exact(totals?.duplicates)}>
        {said.duplicatesNote}
      </Metric>
      <Metric label={said.invalid} value={number(totals?.invalid)} {...exact(totals?.invalid)}>
        {totals && totals.invalid_share !== null && totals.invalid_share !== undefined ? said.invalidNote(percent(100 * totals.invalid_share), count(totals.replayed)) : said.none}
      </Metric>
    </div>
  );
}

function Refused({ projectId, answer, today, onOpen }: { projectId: string; answer: Answer; today: Day; onOpen: (reason: string) => void }) {
  const { days, totals } = answer;
  const series = refusedSeries(days, totals.reasons);
  const since = knownSince(days);
  const rows = Object.entries(totals.reasons)
    .filter(([, amount]) => amount > 0)
    .sort((one, two) => two[1] - one[1])
    .map(([reason, amount]) => ({ key: reason, name: reasonLabel(reason), value: amount, text: count(amount) }));
  if (rows.length === 0) {
    return (
      <p className="px-5 pt-2 pb-5 text-sm text-ink-soft">
        {words.charts.refusedNone} <DoorNote projectId={projectId} />
      </p>
    );
  }
  return (
    <div className="grid gap-5 p-5 pt-1 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <TimeChart label={words.charts.refusedHelp} places={placesOf(days, today)} series={series} format={count} height={220} hasLegend={false} />
      <div>
        <BarList rows={rows} onPick={(row) => onOpen(row.key)} pickLabel={words.charts.reasonEvents} />
        <p className="mt-3 text-xs text-ink-faint">{rows[0] && reasonText(rows[0].key)}</p>
        {since && <p className="mt-2 text-xs text-ink-faint">{words.charts.unknown(day(since))}</p>}
        {!answer.is_complete && <p className="mt-2 text-xs text-ink-faint">{words.incomplete}</p>}
        <p className="mt-2 text-xs text-ink-faint">
          <DoorNote projectId={projectId} />
        </p>
      </div>
    </div>
  );
}
