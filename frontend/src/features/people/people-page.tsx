import { paths } from "@/app/paths";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { ago, count, stamp } from "@/lib/format";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { Input } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Search, UserX } from "lucide-react";
import { useMemo } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { eachOnce } from "./each-once";
import { ErasuresSheet } from "./erasures-sheet";
import { peopleQuery, type PersonRow } from "./queries";
import { words } from "./words";

const TYPING_MS = 200;
const SEARCH_MAX = 200;

/** Everybody, who was seen last first, and a search over ids and traits. */
export default function PeoplePage() {
  return (
    <ReportPage title={words.title} lead={words.lead} compare={false} hasRange={false} hasFilters={false} actions={(frame) => <Erasures frame={frame} />}>
      {(frame) => <People frame={frame} />}
    </ReportPage>
  );
}

function Erasures({ frame }: { frame: ReportFrame }) {
  return (
    <>
      <Button onClick={() => frame.set("panel", "erasures")}>
        <UserX aria-hidden className="size-4 text-ink-faint" />
        {words.erasures.button}
      </Button>
      {frame.search.get("panel") === "erasures" && (
        <ErasuresSheet projectId={frame.projectId} timeZone={frame.timeZone} onClose={() => frame.set("panel", null)} />
      )}
    </>
  );
}

const idOf = (row: PersonRow): string => row.user_id ?? row.anonymous_id ?? row.entity;

function People({ frame }: { frame: ReportFrame }) {
  const { projectId, timeZone } = frame;
  const [search, setSearch] = useSearchParams();
  const typed = (search.get("q") ?? "").slice(0, SEARCH_MAX);
  const wanted = useDebounced(typed.trim(), TYPING_MS);
  const people = useInfiniteQuery(peopleQuery(projectId, wanted));
  const navigate = useNavigate();
  const rows = useMemo(() => eachOnce(people.data?.pages.map((page) => page.people) ?? [], (row) => row.entity), [people.data]);
  const columns = useMemo(() => columnsOf(timeZone, new Date()), [timeZone]);
  const type = (text: string): void => {
    const next = new URLSearchParams(search);
    if (text === "") next.delete("q");
    else next.set("q", text);
    // Letters of one search are one step of the history.
    setSearch(next, { replace: true, preventScrollReset: true });
  };
  return (
    <>
      <div className="relative mb-3 max-w-md">
        <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
        <Input type="search" aria-label={words.search} placeholder={words.searchPlaceholder} className="pl-9" dir="auto" autoComplete="off" spellCheck={false} maxLength={SEARCH_MAX} value={typed} onChange={(event) => type(event.target.value)} />
      </div>
      <Card className="overflow-hidden">
        {people.isError && !people.data ? (
          <Failure error={people.error} onRetry={() => void people.refetch()} className="min-h-96" />
        ) : !people.data ? (
          <div className="p-4" aria-busy="true" aria-label={t.states.loading}>
            <Skeleton className="h-[60dvh] w-full rounded-lg" />
          </div>
        ) : (
          <DataTable
            label={words.table}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.entity}
            onOpen={(row) => void navigate(paths.person(projectId, idOf(row)))}
            onEnd={() => people.hasNextPage && !people.isFetching && void people.fetchNextPage()}
            isDimmed={people.isPlaceholderData}
            height="h-[max(20rem,calc(100dvh-18rem))]"
            empty={<Nobody projectId={projectId} isSearch={wanted !== ""} onClear={() => type("")} />}
          />
        )}
        <footer className="figures flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-5 py-2 text-xs text-ink-faint">
          <span>{words.loaded(count(rows.length))}</span>
          {people.data && !people.hasNextPage && rows.length > 0 && <span>{words.whole}</span>}
          <span>{timeZone}</span>
          {people.isFetchingNextPage && <Spinner className="size-3.5" />}
          {people.isFetchNextPageError && (
            <Button size="sm" variant="ghost" className="-my-1 h-6 text-danger" onClick={() => void people.fetchNextPage()}>
              {t.actions.retry}
            </Button>
          )}
        </footer>
      </Card>
    </>
  );
}

function columnsOf(timeZone: string, now: Date): Column<PersonRow>[] {
  return [
    { key: "person", head: words.columns.person, width: "minmax(min(14rem,45vw),2fr)", stays: true, cell: (row) => <Name row={row} /> },
    { key: "events", head: words.columns.events, width: "7rem", isNumber: true, cell: (row) => count(row.events) },
    { key: "last", head: words.columns.last, width: "10.5rem", cell: (row) => <span className="figures text-ink-soft" title={stamp(row.last_seen, timeZone)}>{ago(row.last_seen, now)}</span> },
    {
      key: "lastEvent",
      head: words.columns.lastEvent,
      width: "minmax(10rem,1fr)",
      cell: (row) => (
        <span dir="auto" className="block truncate [unicode-bidi:isolate]" title={row.last_event}>
          {row.last_event}
        </span>
      ),
    },
    { key: "first", head: words.columns.first, width: "11rem", cell: (row) => <span className="figures text-ink-soft">{stamp(row.first_seen, timeZone)}</span> },
  ];
}

function Name({ row }: { row: PersonRow }) {
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span dir="auto" className="min-w-0 truncate font-medium [unicode-bidi:isolate]" title={idOf(row)}>
        {idOf(row)}
      </span>
      {row.user_id === null && <span className="shrink-0 text-xs text-ink-faint">{words.visitor}</span>}
    </span>
  );
}

function Nobody({ projectId, isSearch, onClear }: { projectId: string; isSearch: boolean; onClear: () => void }) {
  if (isSearch) {
    return (
      <EmptyState title={words.noMatch.title} description={words.noMatch.text} className="min-h-96 justify-center">
        <Button onClick={onClear}>{words.noMatch.clear}</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title={words.empty.title} description={words.empty.text} className="min-h-96 justify-center">
      <Button asChild variant="primary">
        <Link to={paths.setup(projectId)}>{words.empty.setup}</Link>
      </Button>
    </EmptyState>
  );
}
