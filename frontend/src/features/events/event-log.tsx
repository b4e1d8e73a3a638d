import { saveFile } from "@/api/files";
import { paths } from "@/app/paths";
import { FilterBar } from "@/features/report/filter-bar";
import { ReportMenu } from "@/features/report/report-menu";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { cn } from "@/lib/class-names";
import { count, stamp } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { ArrowUp, Radio, X } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { ColumnPicker } from "./column-picker";
import { EventNamesField } from "./event-names-field";
import { EventSheet } from "./event-sheet";
import { rowKey, type LogRow } from "./event-window";
import { columnLabel, exportPath, personOf, questionOf, readColumns, readNames, readOrder, valueOf, writeColumns, writeNames } from "./log-question";
import { useEventWindow } from "./use-event-window";
import { words } from "./words";

/** The table of events with its controls; everything that is chosen stands in the address. */
export function EventLog({ frame }: { frame: ReportFrame }) {
  const { search, projectId, timeZone } = frame;
  const names = readNames(search);
  const columns = readColumns(search);
  const order = readOrder(search);
  const isTailing = search.get("tail") === "on" && order === "desc" && frame.isLive;
  const [isAtTop, setAtTop] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const question = questionOf(frame, names, search.get("person"));
  const watch = order !== "desc" || !frame.isLive ? "no" : isTailing ? "tail" : "slow";
  const log = useEventWindow({ question, columns, order }, { watch, takesFresh: isTailing && isAtTop });
  const open = openEvent(search);
  const columnsKey = JSON.stringify(columns);
  const shown = useMemo(() => tableColumns(JSON.parse(columnsKey) as string[], timeZone, projectId), [columnsKey, timeZone, projectId]);
  const opened = open && log.rows.find((row) => row.id === open.id && row.created_at === open.at);
  const openKey = opened ? rowKey(opened) : null;
  const showFresh = (): void => {
    log.showFresh();
    box.current?.querySelector('[role="table"]')?.scrollTo({ top: 0 });
  };
  const openRow = (row: LogRow | null): void => {
    const next = new URLSearchParams(search);
    for (const name of ["id", "at"]) next.delete(name);
    if (row) {
      next.set("id", row.id);
      next.set("at", row.created_at);
    }
    frame.go(next);
  };
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <EventNamesField projectId={projectId} names={names} onChange={(next) => frame.go(writeNames(search, next))} />
        <FilterBar projectId={projectId} conditions={frame.conditions} onChange={frame.setConditions} eventTypes={names} />
        <PersonChip id={search.get("person")} onRemove={() => frame.set("person", null)} />
        <span className="flex-1" />
        <Button
          size="sm"
          aria-pressed={isTailing}
          disabled={order !== "desc" || !frame.isLive}
          title={isTailing ? words.live.on : words.live.off}
          onClick={() => frame.set("tail", isTailing ? null : "on")}
          className={cn(isTailing && "border-positive/40 bg-positive-wash text-positive")}
        >
          <Radio aria-hidden className="size-3.5" />
          {words.live.tail}
        </Button>
        <ColumnPicker projectId={projectId} eventTypes={names} columns={columns} onChange={(next) => frame.go(writeColumns(search, next))} />
        <ReportMenu
          projectId={projectId}
          saveable={{ kind: "events", title: words.title, question, choice: frame.choice }}
          onExport={(format) => saveFile(exportPath(question, format), `events.${format}`)}
        />
      </div>
      <Card className="relative overflow-hidden">
        {log.fresh.count > 0 && <FreshPill fresh={log.fresh} onShow={showFresh} />}
        <div ref={box}>
          {log.error ? (
            <Failure error={log.error} onRetry={log.retry} className="min-h-96" />
          ) : log.version === null ? (
            <div className="p-4" aria-busy="true" aria-label={t.states.loading}>
              <Skeleton className="h-[60dvh] w-full rounded-lg" />
            </div>
          ) : (
            <DataTable
              label={words.table}
              columns={shown}
              rows={log.rows}
              rowKey={rowKey}
              onOpen={openRow}
              openKey={openKey}
              sort={{ key: "created_at", isDescending: order === "desc" }}
              onSort={(sort) => frame.set("order", sort.isDescending ? null : "asc")}
              onEnd={log.loadBelow}
              onStart={log.loadAbove}
              onTop={setAtTop}
              keepsPlace
              isDimmed={log.isStale}
              height="h-[max(20rem,calc(100dvh-20rem))]"
              empty={<NoEvents frame={frame} hasFilters={names.length > 0 || frame.conditions.length > 0 || search.has("person")} />}
            />
          )}
        </div>
        <footer className="figures flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-5 py-2 text-xs text-ink-faint" aria-live="off">
          <span>{words.foot.loaded(count(log.rows.length))}</span>
          <span>{order === "desc" ? words.foot.first : words.foot.last}</span>
          {log.isWhole && log.rows.length > 0 && <span>{words.foot.whole}</span>}
          <span>{t.range.zone(timeZone)}</span>
          {log.version && <span>{words.foot.version(log.version)}</span>}
          {log.isLoadingMore && <Spinner className="size-3.5" />}
          {log.moreError !== null && (
            <Button size="sm" variant="ghost" className="-my-1 h-6 text-danger" onClick={log.loadBelow}>
              {`${words.foot.failed} ${t.actions.retry}`}
            </Button>
          )}
        </footer>
      </Card>
      {open && (
        <EventSheet
          projectId={projectId}
          timeZone={timeZone}
          id={open.id}
          at={open.at}
          onClose={() => openRow(null)}
          onNarrow={(name) => {
            const next = writeNames(search, [name]);
            for (const one of ["id", "at"]) next.delete(one);
            frame.go(next);
          }}
        />
      )}
    </>
  );
}

function openEvent(search: URLSearchParams): { id: string; at: string } | null {
  const [id, at] = [search.get("id"), search.get("at")];
  return id && at ? { id, at } : null;
}

function FreshPill({ fresh, onShow }: { fresh: { count: number; isAtLeast: boolean }; onShow: () => void }) {
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-11 z-20 flex justify-center">
      <button
        type="button"
        onClick={onShow}
        className="figures pointer-events-auto inline-flex h-8 animate-rise items-center gap-1.5 rounded-full bg-accent px-3.5 text-sm font-medium text-on-accent shadow-pop hover:bg-accent-hover"
      >
        <ArrowUp aria-hidden className="size-3.5" />
        {words.live.fresh(`${count(fresh.count)}${fresh.isAtLeast ? "+" : ""}`)}
      </button>
    </div>
  );
}

/** The person that an address asks for; pages of people lead here with one. */
function PersonChip({ id, onRemove }: { id: string | null; onRemove: () => void }) {
  if (id === null || id === "") return null;
  return (
    <span className="inline-flex max-w-72 items-center rounded-lg border border-line bg-surface pl-2.5 text-sm shadow-card">
      <span dir="auto" className="truncate [unicode-bidi:isolate]" title={id}>
        {words.person(id)}
      </span>
      <Button variant="ghost" size="icon-sm" aria-label={words.personRemove} onClick={onRemove}>
        <X aria-hidden className="size-3.5" />
      </Button>
    </span>
  );
}

const WIDTHS: Record<string, string> = { url: "minmax(16rem,2fr)", referrer: "minmax(14rem,1.5fr)", user_agent: "minmax(16rem,2fr)", country: "7rem", is_bot: "6rem", sample_rate: "8rem" };

function tableColumns(columns: readonly string[], timeZone: string, projectId: string): Column<LogRow>[] {
  return [
    { key: "created_at", head: words.columns.created_at, width: "10.5rem", isSortable: true, cell: (row) => <span className="figures text-ink-soft" title={row.created_at}>{stamp(row.created_at, timeZone)}</span> },
    { key: "event_type", head: words.columns.event_type, width: "minmax(11rem,1fr)", cell: (row) => <Text value={valueOf(row, "event_type")} isStrong /> },
    { key: "person", head: words.columns.person, width: "minmax(11rem,1fr)", cell: (row) => <PersonLink projectId={projectId} id={personOf(row)} /> },
    ...columns.map((column) => ({
      key: `column ${column}`,
      head: columnLabel(column),
      width: WIDTHS[column] ?? "minmax(9rem,1fr)",
      cell: (row: LogRow) => <Text value={valueOf(row, column)} />,
    })),
  ];
}

function Text({ value, isStrong = false }: { value: string | null; isStrong?: boolean }) {
  if (value === null) return <span className="text-ink-faint">–</span>;
  return (
    <span dir="auto" className={cn("block truncate [unicode-bidi:isolate]", isStrong && "font-medium")} title={value.slice(0, 500)}>
      {value.slice(0, 500)}
    </span>
  );
}

function PersonLink({ projectId, id }: { projectId: string; id: string | null }) {
  if (id === null) return <span className="text-ink-faint">{words.noPerson}</span>;
  return (
    // The row opens the event; the link in it leads elsewhere. Not a stop of its own: the event's sheet has the same link.
    <Link to={paths.person(projectId, id)} tabIndex={-1} onClick={(event) => event.stopPropagation()} dir="auto" className="block truncate [unicode-bidi:isolate] hover:underline" title={id}>
      {id}
    </Link>
  );
}

function NoEvents({ frame, hasFilters }: { frame: ReportFrame; hasFilters: boolean }) {
  if (!hasFilters && frame.choice.preset === "all") {
    return (
      <EmptyState title={words.empty.noneTitle} description={words.empty.noneText} className="min-h-96 justify-center">
        <Button asChild variant="primary">
          <Link to={paths.setup(frame.projectId)}>{words.empty.setup}</Link>
        </Button>
      </EmptyState>
    );
  }
  const clear = (): void => {
    const next = writeNames(frame.search, []);
    for (const name of ["filters", "person"]) next.delete(name);
    frame.go(next);
  };
  return (
    <EmptyState title={words.empty.title} description={words.empty.text} className="min-h-96 justify-center">
      {frame.choice.preset !== "all" && <Button onClick={() => frame.setChoice({ preset: "all" })}>{words.empty.all}</Button>}
      {hasFilters && <Button onClick={clear}>{words.empty.clear}</Button>}
    </EmptyState>
  );
}
