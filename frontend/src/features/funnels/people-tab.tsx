import type { Explanation, Funnel, FunnelAnswer, FunnelPerson, PeopleKind } from "@/api/types";
import { saveFile } from "@/api/files";
import { count, duration, moment } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Segmented } from "@/ui/segmented";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useToast } from "@/ui/toast";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronRight, Download, RefreshCw, Waypoints } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { Link } from "react-router";
import { bringIntoView } from "./bring-into-view";
import { requiredStages, type StageRow } from "./funnel-math";
import { nameOf, reasonInShort, waited } from "./person-math";
import { PersonPanel } from "./person-panel";
import { StagePanel } from "./stage-panel";
import { explainQuery, peopleFile, peopleQuery, type Question } from "./report-queries";
import { TIMES, type PeopleChoice, type Time } from "./view-state";
import { w } from "./words";

const ROW_PX = 68;
const AHEAD = 10;

interface Props {
  funnel: Funnel;
  question: Question;
  answer: FunnelAnswer;
  rows: readonly StageRow[];
  choice: PeopleChoice;
  /** The stage that is marked in the picture. */
  selected: number | null;
  person: string | null;
  timeZone: string;
  time: Time;
  onTime: (time: Time) => void;
  /** Where the paths after a stage are shown; null when they cannot be asked of this funnel. */
  pathsTo: ((stage: number) => string) | null;
  onClose: () => void;
  onChoose: (choice: PeopleChoice) => void;
  onPerson: (entity: string | null) => void;
  /** Ways from a person to other pages. */
  links: (explained: Explanation) => ReactNode;
}

/** Who is behind a stage, why each stopped, and one of them in full. */
export function PeopleTab({ funnel, question, answer, rows, choice, selected, person, timeZone, time, onTime, pathsTo, onClose, onChoose, onPerson, links }: Props) {
  const toast = useToast();
  const list = useRef<HTMLDivElement>(null);
  const row = rows.find((one) => one.order === choice.stage);
  const excluded = answer.dropped_by_exclusion ?? 0;
  const sides: { value: PeopleKind; label: string }[] = [
    { value: "converted", label: w.people.reached },
    ...(choice.stage > 1 || choice.side === "dropped" ? [{ value: "dropped" as const, label: w.people.dropped }] : []),
    ...(excluded > 0 ? [{ value: "dropped_by_exclusion" as const, label: w.people.excluded }] : []),
  ];
  const take = (): void => {
    saveFile(peopleFile(funnel, question.range, choice.stage, choice.side, time), w.people.file).catch(() => toast({ tone: "danger", text: w.people.exportFailed }));
  };
  return (
    <>
      {row && selected !== null && (
        <StagePanel
          row={row}
          next={rows[row.order]}
          previous={choice.side === "dropped" ? rows[row.order - 2] : undefined}
          definition={requiredStages(funnel.stages)[row.order - 1]}
          onClose={onClose}
        />
      )}
      <div className="flex flex-wrap items-center gap-2 px-5 py-3">
        <NativeSelect
          aria-label={w.people.stage}
          className="w-auto max-w-72 min-w-44"
          value={choice.stage}
          onChange={(event) => {
            const stage = Number(event.target.value);
            onChoose({ stage, side: stage === 1 || choice.side === "dropped_by_exclusion" ? "converted" : choice.side });
          }}
        >
          {rows.map((row) => (
            <option key={row.order} value={row.order}>
              {`${row.order}. ${row.stage_name}`}
            </option>
          ))}
        </NativeSelect>
        <Segmented label={w.people.side} value={choice.side} options={sides} onChange={(side) => onChoose({ stage: choice.stage, side })} />
        {choice.side === "dropped" && row && (row.waiting > 0 || time !== "all") && (
          <Segmented label={w.people.time} value={time} options={TIMES.map((value) => ({ value, label: `${w.people.times[value]} ${count(timesOf(row)[value])}` }))} onChange={onTime} />
        )}
        {choice.side === "dropped" && pathsTo && (
          <Button size="sm" asChild className="ml-auto">
            <Link to={pathsTo(choice.stage - 1)}>
              <Waypoints aria-hidden className="size-3.5 text-ink-faint" />
              {w.people.paths}
            </Link>
          </Button>
        )}
        <Button size="sm" className={cn(!(choice.side === "dropped" && pathsTo) && "ml-auto")} onClick={take}>
          <Download aria-hidden className="size-3.5 text-ink-faint" />
          {w.people.export}
        </Button>
      </div>
      <div ref={list} className={cn("grid scroll-mt-18 border-t border-line sm:scroll-mt-[30vh]", person !== null && "lg:grid-cols-[minmax(0,23rem)_minmax(0,1fr)]")}>
        <PeopleList
          key={`${choice.stage} ${choice.side} ${time}`}
          question={question}
          choice={choice}
          time={time}
          rows={rows}
          person={person}
          timeZone={timeZone}
          dataVersion={answer.data_version}
          className={cn(person !== null && "hidden border-r border-line lg:block")}
          onPerson={(entity) => {
            onPerson(entity);
            bringIntoView(list.current);
          }}
        />
        {person !== null && (
          <PersonPanel
            funnel={funnel}
            question={question}
            person={person}
            dataVersion={answer.data_version}
            timeZone={timeZone}
            onClose={() => onPerson(null)}
            links={links}
          />
        )}
      </div>
    </>
  );
}

const timesOf = (row: StageRow): Record<Time, number> => ({ all: row.lost, left: row.left, open: row.waiting });

interface ListProps {
  question: Question;
  choice: PeopleChoice;
  time: Time;
  rows: readonly StageRow[];
  person: string | null;
  timeZone: string;
  dataVersion: string;
  className: string;
  onPerson: (entity: string) => void;
}

function PeopleList({ question, choice, time, rows, person, timeZone, dataVersion, className, onPerson }: ListProps) {
  const list = useInfiniteQuery(peopleQuery(question, choice.stage, choice.side, time));
  const people = list.data?.pages.flatMap((page) => page.people) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const hasChanged = list.data?.pages.at(-1)?.has_changed ?? false;
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: people.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 4,
    initialRect: { width: 600, height: 512 },
  });
  const items = virtual.getVirtualItems();
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isFetchNextPageError } = list;
  const isNearEnd = (items.at(-1)?.index ?? 0) + AHEAD >= people.length;
  useEffect(() => {
    if (isNearEnd && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
    // The length, too: a page that comes at once changes nothing else.
  }, [isNearEnd, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, people.length]);
  const row = rows.find((one) => one.order === choice.stage);
  const say = choice.side === "dropped" && (row?.waiting ?? 0) > 0 ? w.people.totalOf[time] : w.people.total[choice.side];
  if (list.isError && !list.data) return <Failure className={className} error={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data) return <ListSkeleton className={className} />;
  if (people.length === 0) return <p className={cn("px-5 py-14 text-center text-ink-soft", className)}>{time === "all" ? w.people.nobody[choice.side] : w.people.nobodyOf[time]}</p>;
  return (
    <div className={className}>
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-2 px-5 py-2 text-sm text-ink-soft">
        <p className="figures stranger">{say(count(total), row?.stage_name ?? "")}</p>
        {hasChanged && (
          <Button size="sm" variant="ghost" onClick={() => void list.refetch()}>
            <RefreshCw aria-hidden className="size-3.5" />
            {w.people.changed}
          </Button>
        )}
      </div>
      <div ref={box} className="max-h-128 overflow-y-auto border-t border-line" tabIndex={-1}>
        <ul className="relative" aria-label={w.people.list} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const one = people[item.index];
            return (
              one && (
                <li key={item.key} className="absolute inset-x-0 border-b border-line" style={{ top: item.start, height: ROW_PX }}>
                  <PersonLine
                    one={one}
                    question={question}
                    side={choice.side}
                    isOpen={one.entity === person}
                    isNarrow={person !== null}
                    timeZone={timeZone}
                    dataVersion={dataVersion}
                    onOpen={() => onPerson(one.entity)}
                  />
                </li>
              )
            );
          })}
        </ul>
        {isFetchingNextPage && (
          <p className="flex justify-center py-3 text-ink-faint">
            <Spinner />
          </p>
        )}
        {isFetchNextPageError && (
          <p className="flex justify-center py-3">
            <Button size="sm" onClick={() => void fetchNextPage()}>
              {w.people.more}
            </Button>
          </p>
        )}
      </div>
    </div>
  );
}

interface LineProps {
  one: FunnelPerson;
  question: Question;
  side: PeopleKind;
  isOpen: boolean;
  isNarrow: boolean;
  timeZone: string;
  dataVersion: string;
  onOpen: () => void;
}

function PersonLine({ one, question, side, isOpen, isNarrow, timeZone, dataVersion, onOpen }: LineProps) {
  const last = one.path.at(-1);
  return (
    <button
      type="button"
      aria-pressed={isOpen}
      onClick={onOpen}
      className={cn(
        "flex h-full w-full items-center gap-4 px-5 text-left -outline-offset-2 transition-colors duration-150 hover:bg-hover",
        isOpen && "bg-accent-wash hover:bg-accent-wash",
      )}
    >
      <span className="min-w-0 flex-1">
        <span className="flex items-baseline gap-2">
          <span dir="auto" className="stranger line-clamp-1 min-w-0 font-medium break-all">
            {nameOf(one)}
          </span>
          {one.is_open && <Badge tone="warning">{w.people.open}</Badge>}
        </span>
        <span dir="auto" className="stranger line-clamp-1 text-sm text-ink-soft">
          {side === "converted" ? (
            last ? w.people.reachedIn(last.stage_name, duration(waited(one))) : ""
          ) : (
            <Reason question={question} entity={one.entity} dataVersion={dataVersion} />
          )}
        </span>
      </span>
      {!isNarrow && (
        <Facts>
          <span>{w.people.entered(moment(one.entry_time, timeZone))}</span>
          <span>{w.people.last(moment(one.last_event_time, timeZone))}</span>
        </Facts>
      )}
      <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-faint" />
    </button>
  );
}

function Facts({ children }: { children: ReactNode }) {
  return <span className="figures hidden shrink-0 flex-col text-right text-xs text-ink-faint md:flex">{children}</span>;
}

function Reason({ question, entity, dataVersion }: { question: Question; entity: string; dataVersion: string }) {
  const explained = useQuery(explainQuery(question, entity, dataVersion));
  if (explained.data) return <>{reasonInShort(explained.data)}</>;
  return explained.isError ? <>{w.people.noReason}</> : <Skeleton className="mt-1 inline-block h-3 w-56 max-w-full" />;
}

function ListSkeleton({ className }: { className: string }) {
  return (
    <div aria-busy="true" className={cn("flex flex-col gap-3 p-5", className)}>
      {[1, 2, 3, 4, 5].map((one) => (
        <Skeleton key={one} className="h-12" />
      ))}
    </div>
  );
}
