import { paths } from "@/app/paths";
import { EventNamesField } from "@/features/events/event-names-field";
import { EventSheet } from "@/features/events/event-sheet";
import { readNames, writeNames } from "@/features/events/log-question";
import { FilterBar } from "@/features/report/filter-bar";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { clock, count, day, duration } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { cn } from "@/lib/class-names";
import { useInfiniteQuery } from "@tanstack/react-query";
import { List } from "lucide-react";
import type { CSSProperties } from "react";
import { Link } from "react-router";
import { journeyDays, pageOf } from "./journey";
import { journeyQuery, type LoggedEvent } from "./queries";
import { personWords } from "./words";

const words = personWords.journey;
const GAP_SECONDS = 3_600;
const HEAD_PX = 37;
const STEP_PX = 28;

/** What a person did, day by day. */
export function JourneyCard({ frame, id }: { frame: ReportFrame; id: string }) {
  const { projectId, timeZone, search } = frame;
  const names = readNames(search);
  const asked = { project_id: projectId, user_id: id, event_type: names, ...(frame.conditions.length > 0 && { filters: JSON.stringify(frame.conditions) }) };
  const journey = useInfiniteQuery(journeyQuery(asked));
  const events = journey.data?.pages.flatMap((page) => page.events) ?? [];
  const [openId, openAt] = [search.get("event_id"), search.get("at")];
  const open = (event: LoggedEvent | null): void => {
    const next = new URLSearchParams(search);
    for (const name of ["event_id", "at"]) next.delete(name);
    if (event) {
      next.set("event_id", event.id);
      next.set("at", event.created_at);
    }
    frame.go(next);
  };
  const log = new URLSearchParams({ range: "all", person: id });
  return (
    <Card className="min-w-0">
      <CardHead title={words.title} description={words.lead}>
        <Button asChild size="sm" variant="ghost">
          <Link to={`${paths.events(projectId)}?${log.toString()}`}>
            <List aria-hidden className="size-3.5" />
            {words.log}
          </Link>
        </Button>
      </CardHead>
      <div className="flex flex-wrap items-center gap-2 px-5 pt-3">
        <EventNamesField projectId={projectId} names={names} onChange={(next) => frame.go(writeNames(search, next))} />
        <FilterBar projectId={projectId} conditions={frame.conditions} onChange={frame.setConditions} eventTypes={names} />
      </div>
      {journey.isError && !journey.data ? (
        <Failure error={journey.error} onRetry={() => void journey.refetch()} className="h-80" />
      ) : !journey.data ? (
        <div className="p-5" aria-busy="true" aria-label={t.states.loading}>
          <Skeleton className="h-80 rounded-lg" />
        </div>
      ) : events.length === 0 ? (
        <div className="px-5 py-12 text-center text-sm text-ink-soft">
          <p>{words.none}</p>
          {(names.length > 0 || frame.conditions.length > 0) && (
            <Button size="sm" className="mt-3" onClick={() => frame.go(withoutFilters(search))}>
              {words.clear}
            </Button>
          )}
        </div>
      ) : (
        <div className={cn("px-5 pt-2 pb-5 transition-opacity", journey.isPlaceholderData && "opacity-55")}>
          {journeyDays(events, timeZone, GAP_SECONDS).map((one) => (
            <section key={one.day} aria-label={day(one.day)} style={farAway(one.events.length)}>
              <h3 className="figures sticky top-14 z-10 flex items-baseline justify-between gap-3 border-b border-line bg-surface py-2 text-sm font-semibold lg:top-0">
                {day(one.day)}
                <span className="text-xs font-normal text-ink-faint">{words.dayEvents(count(one.events.length))}</span>
              </h3>
              <ol className="ml-1 border-l border-line">
                {one.events.map(({ event, pause }) => (
                  <li key={event.created_at + event.received_at + event.id}>
                    <Step event={event} timeZone={timeZone} isOpen={event.id === openId} onOpen={() => open(event)} />
                    {pause !== null && <p className="figures py-1 pl-5 text-xs text-ink-faint">{words.pause(duration(pause))}</p>}
                  </li>
                ))}
              </ol>
            </section>
          ))}
          <div className="mt-4 text-center text-sm text-ink-faint">
            {journey.hasNextPage ? (
              <Button busy={journey.isFetchingNextPage} onClick={() => void journey.fetchNextPage()}>
                {words.more}
              </Button>
            ) : (
              words.whole
            )}
          </div>
        </div>
      )}
      {openId && openAt && <EventSheet projectId={projectId} timeZone={timeZone} id={openId} at={openAt} onClose={() => open(null)} />}
    </Card>
  );
}

/** A long life: days out of view cost the browser neither layout nor paint, and have about their height. */
const farAway = (events: number): CSSProperties => ({ contentVisibility: "auto", containIntrinsicSize: `auto ${HEAD_PX + events * STEP_PX}px` });

function withoutFilters(search: URLSearchParams): URLSearchParams {
  const next = writeNames(search, []);
  next.delete("filters");
  return next;
}

function Step({ event, timeZone, isOpen, onOpen }: { event: LoggedEvent; timeZone: string; isOpen: boolean; onOpen: () => void }) {
  const detail = event.url ? pageOf(event.url) : properties(event.properties);
  return (
    <button
      type="button"
      onClick={onOpen}
      className={cn("relative flex w-full items-baseline gap-x-3 rounded-r-lg max-sm:flex-wrap py-1 pr-2 pl-5 text-left text-sm hover:bg-hover", isOpen && "bg-accent-wash")}
    >
      <span aria-hidden className="absolute top-2.5 -left-[3.5px] size-1.5 rounded-full bg-accent" />
      <span className="figures w-16 shrink-0 text-ink-faint">{clock(event.created_at, timeZone)}</span>
      <span dir="auto" className="stranger line-clamp-2 min-w-0 font-medium max-sm:flex-1 sm:max-w-[60%] sm:shrink-0">
        {event.event_type}
      </span>
      {detail && (
        <span dir="auto" className="min-w-0 truncate text-ink-soft [unicode-bidi:isolate] max-sm:basis-full max-sm:pl-19">
          {detail}
        </span>
      )}
    </button>
  );
}

/** The first properties as one line. */
function properties(all: Record<string, unknown>): string {
  return Object.entries(all)
    .slice(0, 4)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ")
    .slice(0, 200);
}
