import { AsOf } from "@/features/report/answer-foot";
import { reportQuery } from "@/features/report/ask";
import { withValue } from "@/features/report/conditions";
import { visitGroupName } from "@/features/report/visit-names";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { noneKnown } from "@/features/report/none-known";
import { intervalFor } from "@/features/report/places";
import { alone, type ReportFrame } from "@/features/report/use-report-frame";
import { visitCondition } from "@/features/report/visit-conditions";
import { cn } from "@/lib/class-names";
import { compactCount, percent } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { BarList, type BarRow } from "@/ui/chart/bar-list";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { panelOf, Tabs } from "@/ui/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sessionsSource, type Group, type SessionsQuestion } from "./queries";
import { lengthOf, LISTS, type ListName } from "./session-math";
import { words } from "./words";

const ROWS = 10;
const ROWS_MAX = 100;
const LISTS_POLL_MS = 6 * LIVE_POLL_MS;

/** Where sessions began and ended, and who sent them; a row filters the page by itself. */
export function SessionLists({ frame, question }: { frame: ReportFrame; question: SessionsQuestion }) {
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      {(Object.keys(LISTS) as (keyof typeof LISTS)[]).map((card) => (
        <ListCard key={card} card={card} frame={frame} question={question} />
      ))}
    </div>
  );
}

function ListCard({ card, frame, question }: { card: keyof typeof LISTS; frame: ReportFrame; question: SessionsQuestion }) {
  const tabs = LISTS[card];
  const asked = frame.search.get(card);
  const list = tabs.find((one) => one === asked) ?? tabs[0] ?? "channel";
  const label = words.lists[card];
  return (
    <Card aria-label={label} className="min-w-0 lg:last:odd:col-span-2">
      <Tabs label={label} value={list} tabs={tabs.map((one) => ({ value: one, label: words.tabs[one] }))} onChange={(next) => frame.set(card, next === tabs[0] ? null : next)} className="pt-1" />
      <div {...panelOf(label, list)} className="min-h-56 px-3 pt-2 pb-3">
        <Groups key={list} list={list} frame={frame} question={question} />
      </div>
    </Card>
  );
}

const keyOf = (group: Group): string => JSON.stringify([group.group, group.value]);

function Groups({ list, frame, question }: { list: ListName; frame: ReportFrame; question: SessionsQuestion }) {
  const [limit, setLimit] = useState(ROWS);
  // Of the buckets nothing is shown here: the coarsest ones, and no days to compare with.
  const asked: SessionsQuestion = { ...alone(question), interval: intervalFor(null), breakdown: list, limit };
  const answer = useQuery(reportQuery(sessionsSource, asked, frame.isLive ? LISTS_POLL_MS : false));
  const groups = answer.data?.breakdown?.property === list ? answer.data.breakdown.groups.filter((one) => one.sessions > 0) : undefined;
  if (groups === undefined) {
    if (answer.isError) return <Failure error={answer.error} onRetry={() => void answer.refetch()} className="py-8" />;
    return (
      <div aria-busy="true" className="flex flex-col gap-1.5 pt-6">
        {Array.from({ length: 5 }, (_none, at) => (
          <Skeleton key={at} className="h-7" />
        ))}
        <div className="h-4.5" />
      </div>
    );
  }
  const pick = (row: BarRow): void => {
    const group = groups.find((one) => keyOf(one) === row.key);
    const condition = group && visitCondition(list, group.group, group.value);
    if (condition) frame.setConditions(withValue(frame.conditions, condition));
  };
  const note = noneKnown(list, groups);
  const hasOther = groups.some((one) => one.group === "other");
  return (
    <div aria-busy={answer.isPlaceholderData} className={cn("transition-opacity duration-150", answer.isPlaceholderData && "opacity-55")}>
      <p className="flex justify-end gap-2 px-2 pb-1 text-xs text-ink-faint">{`${words.columns.bounce} · ${words.columns.length} · ${words.columns.sessions}`}</p>
      <BarList rows={groups.map((group) => rowOf(list, group))} onPick={pick} pickLabel={words.filterBy} empty={words.nothing} />
      {note && <p className="px-2 pt-3 text-sm text-ink-soft">{note}</p>}
      {hasOther && limit < ROWS_MAX && (
        <Button size="sm" variant="ghost" className="mt-1" onClick={() => setLimit(ROWS_MAX)}>
          {words.more}
        </Button>
      )}
      {answer.data && (
        <footer className="figures px-2 pt-2 text-xs text-ink-faint">
          <AsOf answer={answer.data} isLive={frame.isLive} />
        </footer>
      )}
    </div>
  );
}

function rowOf(list: ListName, group: Group): BarRow {
  const length = group.average_seconds === null ? "–" : lengthOf(group.average_seconds);
  return {
    key: keyOf(group),
    name: visitGroupName(list, group),
    value: group.sessions,
    text: compactCount(group.sessions),
    detail: `${percent(group.bounce_rate)} · ${length}`,
    ...(group.group !== "value" && { isOurs: true }),
  };
}
