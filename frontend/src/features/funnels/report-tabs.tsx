import type { ComparedPeriod, Explanation, Funnel, FunnelAnswer } from "@/api/types";
import { paths } from "@/app/paths";
import { readRange, writeRange } from "@/features/report/range-state";
import { cn } from "@/lib/class-names";
import type { DayRange } from "@/lib/dates";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { panelOf, Tabs } from "@/ui/tabs";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef, type ReactNode } from "react";
import { Link } from "react-router";
import type { AnswerProps } from "./answer-view";
import { BreakdownTab } from "./breakdown-tab";
import { clearestStep } from "./compare-math";
import type { StageRow } from "./funnel-math";
import { PeopleTab } from "./people-tab";
import { allEventsOf } from "./person-math";
import { StageTable } from "./stage-table";
import { TimesTab } from "./times-tab";
import { readStageSort, writeStageSort } from "./stage-sort";
import { possibleIntervals } from "./trend-math";
import { TrendTab } from "./trend-tab";
import { readGrouping, readGroupView, readPeople, readTab, readTime, TABS, withParts, writeStage, writeTab, writeTime } from "./view-state";
import { w } from "./words";
import { WhyTab } from "./why-tab";

interface Props extends AnswerProps {
  rows: readonly StageRow[];
  before: ComparedPeriod | null;
  selected: number | null;
  /** Of a drop the stage before: where those people stand in the picture. */
  marked: number | null;
  worst: number | null;
  times: UseQueryResult<FunnelAnswer>;
  trend: UseQueryResult<FunnelAnswer>;
  /** The days compared with. */
  compared: DayRange | null;
}

const CHOICES = TABS.map((value) => ({ value, label: w.tabs[value] }));

/** The deeper views of a funnel; which one is open is in the address. */
export function ReportTabs(props: Props) {
  const { search, onGo } = props;
  const tab = readTab(search);
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the chosen tab may lie beside the window; the page itself must not move.
    const chosen = card.current?.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]');
    const list = chosen?.parentElement;
    if (!chosen || !list) return;
    list.scrollLeft = Math.max(0, chosen.offsetLeft - (list.clientWidth - chosen.offsetWidth) / 2);
  }, [tab]);
  return (
    <Card ref={card} className="mt-4 overflow-hidden">
      <Tabs label={w.tabs.label} value={tab} tabs={CHOICES} onChange={(next) => onGo(writeTab(search, next), { replace: true })} />
      <div {...panelOf(w.tabs.label, tab)}>
        <Panel {...props} tab={tab} />
      </div>
    </Card>
  );
}

function Panel({ tab, ...props }: Props & { tab: (typeof TABS)[number] }) {
  const { funnel, question, answer, rows, before, selected, marked, worst, times, trend, compared, notes, search, onGo, timeZone } = props;
  const replace = (next: URLSearchParams): void => onGo(next, { replace: true });
  const set = (changes: Record<string, string | number | null>): void => replace(withParts(search, changes));
  const steps = times.data?.times?.steps ?? [];
  switch (tab) {
    case "times":
      return <Loaded query={times}>{(data) => data.times && <TimesTab times={data.times} rows={rows} />}</Loaded>;
    case "trend":
      return (
        <Loaded query={trend}>
          {(data) =>
            data.trend && (
              <TrendTab
                name={funnel.name}
                trend={data.trend}
                before={data.compare?.trend ? { trend: data.compare.trend, days: data.compare.date_range } : null}
                rows={rows}
                intervals={possibleIntervals(question.range)}
                onInterval={(interval) => set({ interval })}
                {...(notes && { notes })}
              />
            )
          }
        </Loaded>
      );
    case "breakdown":
      return (
        <BreakdownTab
          projectId={funnel.project_id}
          question={question}
          rows={rows}
          grouping={readGrouping(search, funnel.breakdown)}
          view={readGroupView(search)}
          compared={compared}
          dataVersion={answer.data_version}
          onGroup={(next) => set({ by: next?.property ?? null, attribution: next && next.attribution !== "entry" ? next.attribution : null })}
          onView={(view) => set({ groups: view === "table" ? null : view })}
        />
      );
    case "why":
      return (
        <WhyTab
          question={question}
          rows={rows}
          choice={{ stage: Number(search.get("step")) || null, withOpen: search.get("open") === "yes" }}
          opensAt={clearestStep(answer.compare)?.from_order ?? null}
          dataVersion={answer.data_version}
          onChoose={(next) => set({ step: next.stage, open: next.withOpen ? "yes" : null })}
          onGroup={(property) => set({ tab: "breakdown", by: property, attribution: null })}
        />
      );
    case "people":
      return (
        <PeopleTab
          funnel={funnel}
          question={question}
          answer={answer}
          rows={rows}
          choice={readPeople(search, rows.length, worst)}
          selected={selected}
          person={search.get("person")}
          timeZone={timeZone}
          time={readTime(search, readPeople(search, rows.length, worst).side)}
          onTime={(next) => replace(writeTime(search, next))}
          pathsTo={pathsAfter(funnel, search)}
          onClose={() => replace(writeStage(search, null))}
          onChoose={(next) => replace(writeStage(search, next.stage, next.side))}
          onPerson={(entity) => onGo(withParts(search, { person: entity, ...(entity !== null && selected === null && { tab: "people" }) }))}
          links={(explained) => <PersonLinks funnel={funnel} explained={explained} timeZone={timeZone} />}
        />
      );
    default:
      return <StageTable answer={answer} rows={rows} times={steps} before={before} selected={marked} sort={readStageSort(search)} onSort={(next) => set({ sort: writeStageSort(next) })} />;
  }
}

/** The page of a person is found by either id; one without any has none. The events of the funnel say what it saw, the log what else was done then. */
function PersonLinks({ funnel, explained, timeZone }: { funnel: Funnel; explained: Explanation; timeZone: string }) {
  const id = explained.user_id ?? explained.anonymous_id;
  const events = allEventsOf(explained, timeZone);
  if (id === null || events === null) return null;
  return (
    <>
      <Button size="sm" asChild>
        <Link to={paths.person(funnel.project_id, id)}>{w.person.profile}</Link>
      </Button>
      <Button size="sm" asChild>
        <Link to={`${paths.events(funnel.project_id)}?${events.toString()}`} title={w.person.allEventsTitle}>
          {w.person.allEvents}
        </Link>
      </Button>
    </>
  );
}

/** The page of paths that begin where people left this funnel, by person as the funnel counts, over the same days; null for funnels whose people the service cannot follow. */
function pathsAfter(funnel: Funnel, search: URLSearchParams): ((stage: number) => string) | null {
  if (funnel.order === "unordered" || funnel.unit === "session" || funnel.count === "totals" || (funnel.hold ?? []).length > 0) return null;
  return (stage) => {
    const asked = writeRange(new URLSearchParams({ way: "drop", funnel: funnel.id, stage: String(stage), unit: "user" }), readRange(search));
    return `${paths.flows(funnel.project_id)}?${asked}`;
  };
}

function Loaded({ query, children }: { query: UseQueryResult<FunnelAnswer>; children: (data: FunnelAnswer) => ReactNode }) {
  if (query.data) return <div className={cn("transition-opacity duration-150", query.isPlaceholderData && "opacity-55")}>{children(query.data)}</div>;
  if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div aria-busy="true" className="p-5">
      <Skeleton className="h-72 rounded-lg" />
    </div>
  );
}
