import type { ExplainedPersonEvent, Explanation, Funnel } from "@/api/types";
import { count, duration, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { cn } from "@/lib/class-names";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Ban, CircleSlash, Clock, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { nameOf, reasonText, timeline, type TimelineItem } from "./person-math";
import { explainQuery, type Question } from "./report-queries";
import { conditionText } from "./stage-definition";
import { w } from "./words";

interface Props {
  funnel: Funnel;
  question: Question;
  person: string;
  dataVersion: string;
  timeZone: string;
  onClose: () => void;
  /** Ways from this person to other pages. */
  links: (explained: Explanation) => ReactNode;
}

/** One person's way through the funnel as a time line: the events that counted, and why it went no further. */
export function PersonPanel({ funnel, question, person, dataVersion, timeZone, onClose, links }: Props) {
  const explained = useQuery(explainQuery(question, person, dataVersion));
  return (
    <section aria-label={w.person.panel} className="min-w-0 animate-fade">
      <header className="flex items-start justify-between gap-3 px-5 pt-3">
        <Button variant="ghost" size="sm" className="-ml-2.5 lg:hidden" onClick={onClose}>
          <ArrowLeft aria-hidden className="size-3.5" />
          {w.person.back}
        </Button>
        <Button variant="ghost" size="icon-sm" className="ml-auto hidden lg:inline-flex" aria-label={w.person.close} onClick={onClose}>
          <X aria-hidden className="size-4" />
        </Button>
      </header>
      {explained.data ? (
        <div className="px-5 pb-6 lg:-mt-7">
          <Summary explained={explained.data} isOpen={isStillOpen(explained.data, funnel, new Date())} />
          <div className="mt-3 flex flex-wrap gap-2">{links(explained.data)}</div>
          <Timeline explained={explained.data} funnel={funnel} timeZone={timeZone} />
        </div>
      ) : explained.isError ? (
        <Failure error={explained.error} onRetry={() => void explained.refetch()} />
      ) : (
        <div aria-busy="true" className="flex flex-col gap-3 px-5 pb-6 lg:-mt-7">
          <Skeleton className="h-6 w-48" />
          <Skeleton className="h-16" />
          <Skeleton className="h-64" />
        </div>
      )}
    </section>
  );
}

/** Whose window is not over may still go on, and has not dropped out. A session ends in its own time. */
function isStillOpen(explained: Explanation, funnel: Funnel, now: Date): boolean {
  const entry = explained.path[0];
  if (explained.status !== "dropped" || !entry || funnel.unit === "session") return false;
  return typeof funnel.window_seconds !== "number" || Date.parse(entry.time) + funnel.window_seconds * 1_000 >= now.getTime();
}

const TONES = { converted: "positive", dropped: "danger", dropped_by_exclusion: "warning", not_entered: "neutral" } as const;

function Summary({ explained, isOpen }: { explained: Explanation; isOpen: boolean }) {
  const stop = explained.stopped_at;
  return (
    <>
      <h3 dir="auto" className="stranger pr-8 text-base font-semibold break-all">
        {explained.entity === null ? "" : nameOf({ ...explained, entity: explained.entity })}
      </h3>
      <p className="mt-1.5 flex flex-wrap items-center gap-2 text-sm text-ink-soft">
        <Badge tone={isOpen ? "warning" : TONES[explained.status]}>{isOpen ? w.people.open : w.person.status[explained.status]}</Badge>
        <span className="figures">{w.person.steps(explained.steps, explained.stages)}</span>
        {Object.entries(explained.hold ?? {}).map(([name, value]) => (
          <span key={name} dir="auto" className="stranger">
            {`${name} = ${value ?? t.report.none}`}
          </span>
        ))}
      </p>
      {stop && (
        <p dir="auto" className="stranger mt-2 max-w-[70ch] text-sm">
          <span className="font-medium">{isOpen ? w.person.notYetAt(stop.stage_name) : w.person.stoppedBefore(stop.stage_name)}</span>{" "}
          {explained.reasons[0] ? reasonText(explained.reasons[0]) : ""}
        </p>
      )}
    </>
  );
}

interface TimelineProps {
  explained: Explanation;
  funnel: Funnel;
  timeZone: string;
}

function Timeline({ explained, funnel, timeZone }: TimelineProps) {
  const [isFolded, setFolded] = useState(true);
  const items = timeline(explained, isFolded);
  const hasFolds = items.some((item) => item.kind === "run");
  return (
    <>
      <div className="mt-4 flex items-center justify-between gap-2">
        <h4 className="text-sm font-medium text-ink-soft">{w.person.timeline(count(explained.events_total))}</h4>
        {(hasFolds || !isFolded) && (
          <Button size="sm" variant="ghost" onClick={() => setFolded(!isFolded)}>
            {isFolded ? w.person.showAll : w.person.fold}
          </Button>
        )}
      </div>
      <ol className="mt-1 flex max-h-128 flex-col overflow-y-auto pr-1" tabIndex={-1}>
        {items.map((item) => (
          <Item key={item.kind === "event" ? item.event.event_id : item.kind === "run" ? item.key : "stop"} item={item} {...{ explained, funnel, timeZone }} />
        ))}
      </ol>
      {explained.is_cut && <p className="mt-2 text-sm text-ink-faint">{w.person.cut}</p>}
    </>
  );
}

function Item({ item, explained, funnel, timeZone }: TimelineProps & { item: TimelineItem }) {
  if (item.kind === "stop") return <Stop explained={explained} timeZone={timeZone} isOpen={isStillOpen(explained, funnel, new Date())} />;
  if (item.kind === "run") {
    return (
      <Line mark={<Dot />}>
        <p dir="auto" className="stranger text-sm text-ink-faint">
          {w.person.run(item.name, item.count)}
        </p>
      </Line>
    );
  }
  return <EventLine event={item.event} gap_s={item.gap_s} funnel={funnel} timeZone={timeZone} />;
}

function EventLine({ event, gap_s, funnel, timeZone }: { event: ExplainedPersonEvent; gap_s: number | null; funnel: Funnel; timeZone: string }) {
  const counts = event.fills !== null || event.fills_optional;
  const isExcluded = event.matches_exclusions.length > 0;
  const mark =
    event.fills !== null ? (
      <span className="figures grid size-6 place-items-center rounded-full bg-accent text-xs font-semibold text-on-accent">{event.fills}</span>
    ) : isExcluded ? (
      <span className="grid size-6 place-items-center rounded-full bg-danger-wash text-danger">
        <Ban aria-hidden className="size-3.5" />
      </span>
    ) : (
      <Dot isStrong={Boolean(event.fills_optional)} />
    );
  return (
    <Line mark={mark}>
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span dir="auto" className={cn("stranger text-sm", counts ? "font-medium" : "text-ink-soft")}>
          {event.event_type}
        </span>
        <span className="figures text-xs text-ink-faint">
          {moment(event.time, timeZone)}
          {gap_s !== null && gap_s >= 1 && ` · ${w.person.later(duration(gap_s))}`}
        </span>
      </p>
      <p className="flex flex-wrap gap-x-3 text-xs text-ink-soft">
        {event.fills !== null && <span>{w.person.counted(event.fills)}</span>}
        {event.fills_optional && <span dir="auto" className="stranger">{w.person.optional(event.fills_optional)}</span>}
        {isExcluded && <span className="text-danger">{w.person.exclusion}</span>}
        {!event.is_own && <span>{funnel.unit === "session" ? w.person.otherSession : w.person.otherHold}</span>}
        {!counts && event.matches.length > 0 && <span>{w.person.matches(event.matches)}</span>}
        {!counts &&
          event.failed_filters.slice(0, 3).map((failed, index) => (
            <span key={index} dir="auto" className="stranger">
              {w.person.failed(conditionText(failed.filter), failed.value)}
            </span>
          ))}
      </p>
    </Line>
  );
}

/** Where the path ended, between the events: what was missing, the nearest miss first. */
function Stop({ explained, timeZone, isOpen }: { explained: Explanation; timeZone: string; isOpen: boolean }) {
  const stop = explained.stopped_at;
  if (!stop) return null;
  return (
    <Line
      mark={
        <span className={cn("grid size-6 place-items-center rounded-full", isOpen ? "bg-warning-wash text-warning" : "bg-danger-wash text-danger")}>
          {isOpen ? <Clock aria-hidden className="size-3.5" /> : <CircleSlash aria-hidden className="size-3.5" />}
        </span>
      }
    >
      <div className={cn("rounded-lg px-3 py-2", isOpen ? "bg-warning-wash" : "bg-danger-wash")}>
        <p dir="auto" className={cn("stranger text-sm font-medium", isOpen ? "text-warning" : "text-danger")}>
          {isOpen ? w.person.notYetAt(stop.stage_name) : w.person.stoppedBefore(stop.stage_name)}
        </p>
        {explained.reasons.length > 0 ? (
          <ul className="mt-1 flex flex-col gap-1 text-sm text-ink">
            {explained.reasons.map((reason, index) => (
              <li key={index} dir="auto" className="stranger">
                {reasonText(reason)}
                {reason.event && <span className="figures ml-2 text-xs text-ink-soft">{moment(reason.event.time, timeZone)}</span>}
              </li>
            ))}
          </ul>
        ) : (
          <p className="text-sm text-ink">{w.person.nothingFound}</p>
        )}
      </div>
    </Line>
  );
}

function Dot({ isStrong = false }: { isStrong?: boolean }) {
  return (
    <span className="grid size-6 place-items-center">
      <span className={cn("size-2 rounded-full", isStrong ? "bg-accent" : "bg-line-strong")} />
    </span>
  );
}

function Line({ mark, children }: { mark: ReactNode; children: ReactNode }) {
  return (
    <li className="relative flex gap-3 pb-3 before:absolute before:top-6 before:bottom-0 before:left-3 before:w-px before:bg-line last:before:hidden">
      <span className="shrink-0">{mark}</span>
      <div className="min-w-0 flex-1 pt-0.5">{children}</div>
    </li>
  );
}
