import { AsOf, type AnswerFrame } from "@/features/report/answer-foot";
import { reportQuery } from "@/features/report/ask";
import { withValue } from "@/features/report/conditions";
import { noneKnown } from "@/features/report/none-known";
import { intervalFor } from "@/features/report/places";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { alone, type ReportFrame } from "@/features/report/use-report-frame";
import { flagOf } from "@/features/report/visit-names";
import { visitCondition } from "@/features/report/visit-conditions";
import { cn } from "@/lib/class-names";
import { compactCount } from "@/lib/format";
import { Card } from "@/ui/card";
import { BarList, type BarRow } from "@/ui/chart/bar-list";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { panelOf, Tabs } from "@/ui/tabs";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { groupRows, LISTS, type CardName, type ListName } from "./overview-math";
import { sessionsSource } from "@/features/sessions/queries";
import type { OverviewAnswer } from "./queries";
import { words } from "./words";

const ROWS = 9;
const SKELETON_ROWS = 6;
const LISTS_POLL_MS = 6 * LIVE_POLL_MS;

interface Props {
  frame: ReportFrame;
  /** Holds the pages; the other lists ask for themselves when their tab is open. */
  pages: UseQueryResult<OverviewAnswer>;
}

export function VisitLists({ frame, pages }: Props) {
  return (
    <div className="grid gap-4 sm:gap-5 lg:grid-cols-2">
      {(Object.keys(LISTS) as CardName[]).map((card) => (
        <ListCard key={card} card={card} frame={frame} pages={pages} />
      ))}
    </div>
  );
}

function ListCard({ card, frame, pages }: Props & { card: CardName }) {
  const tabs: readonly (ListName | "page")[] = LISTS[card];
  const asked = frame.search.get(card);
  const list = tabs.find((one) => one === asked) ?? tabs[0] ?? "page";
  const label = words.lists[card];
  const pick = (row: BarRow): void => {
    const [group, ...value] = row.key.split(" ");
    const condition = visitCondition(list, group ?? "", value.join(" "));
    if (condition) frame.setConditions(withValue(frame.conditions, condition));
  };
  return (
    <Card aria-label={label} className="flex min-w-0 flex-col">
      <Tabs label={label} value={list} tabs={tabs.map((one) => ({ value: one, label: words.tabs[one] }))} onChange={(next) => frame.set(card, next === tabs[0] ? null : next)} className="pt-1" />
      <div {...panelOf(label, list)} className="flex min-h-54 sm:min-h-66 flex-1 flex-col px-3 pt-2 pb-3">
        <div className="flex justify-between px-2 pb-1.5 text-xs text-ink-faint">
          <span>{words.tabs[list]}</span>
          <span>{list === "page" ? words.columns.views : words.columns.sessions}</span>
        </div>
        {list === "page" ? <Pages query={pages} isLive={frame.isLive} onPick={pick} /> : <Groups key={list} list={list} frame={frame} onPick={pick} />}
      </div>
    </Card>
  );
}

function Pages({ query, isLive, onPick }: { query: UseQueryResult<OverviewAnswer>; isLive: boolean; onPick: (row: BarRow) => void }) {
  const rows = query.data?.pages.map((page) => ({
    key: `value ${page.page}`,
    name: page.page,
    value: page.views,
    text: compactCount(page.views),
    detail: words.pagePeople(compactCount(page.people)),
  }));
  return <Rows query={query} rows={rows} isLive={isLive} onPick={onPick} />;
}

function Groups({ list, frame, onPick }: { list: ListName; frame: ReportFrame; onPick: (row: BarRow) => void }) {
  // Of the buckets nothing is shown here: the coarsest ones.
  const asked = { ...alone(frame.question), breakdown: list, limit: ROWS, interval: intervalFor(null) };
  const query = useQuery(reportQuery(sessionsSource, asked, frame.isLive ? LISTS_POLL_MS : false));
  const groups = query.data?.breakdown?.property === list ? query.data.breakdown.groups : undefined;
  const rows = groups && groupRows(list, groups, query.data?.total.sessions ?? 0).map((row) => withFlag(list, row));
  return <Rows query={query} rows={rows} isLive={frame.isLive} onPick={onPick} note={groups ? noneKnown(list, groups) : null} />;
}

function withFlag(list: ListName, row: BarRow): BarRow {
  const flag = list === "country" && row.key.startsWith("value ") ? flagOf(row.key.slice("value ".length)) : null;
  return flag ? { ...row, icon: <span aria-hidden>{flag}</span> } : row;
}

interface RowsProps<Answer> {
  query: UseQueryResult<Answer>;
  rows: BarRow[] | undefined;
  isLive: boolean;
  onPick: (row: BarRow) => void;
  note?: string | null;
}

function Rows<Answer extends AnswerFrame>({ query, rows, isLive, onPick, note }: RowsProps<Answer>) {
  if (rows === undefined) {
    if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} className="py-8" />;
    return (
      <div aria-busy="true" className="flex flex-col gap-1.5">
        {Array.from({ length: SKELETON_ROWS }, (_none, at) => (
          <Skeleton key={at} className="h-7" />
        ))}
        <div className="h-4.5" />
      </div>
    );
  }
  return (
    <div aria-busy={query.isPlaceholderData} className={cn("flex flex-1 flex-col transition-opacity duration-150", query.isPlaceholderData && "opacity-55")}>
      <BarList rows={rows} onPick={onPick} pickLabel={words.filterBy} empty={words.nothing} />
      {note && <p className="px-2 pt-3 text-sm text-ink-soft">{note}</p>}
      {query.data && (
        <footer className="figures mt-auto px-2 pt-2 text-xs text-ink-faint">
          <AsOf answer={query.data} isLive={isLive} />
        </footer>
      )}
    </div>
  );
}
