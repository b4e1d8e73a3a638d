import { saveFile } from "@/api/files";
import type { AuditEntry } from "@/api/types";
import { projectsQuery } from "@/features/projects/queries";
import { RangePicker } from "@/features/report/range-picker";
import { daysOf, readRange, writeRange } from "@/features/report/range-state";
import { ReportMenu } from "@/features/report/report-menu";
import { addDays, browserZone, dayBegins, todayIn } from "@/lib/dates";
import { moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Card } from "@/ui/card";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { CodeBlock } from "@/features/setup/code-block";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { auditQuery, entriesOf, exportPath, type AuditFilter } from "./queries";
import { words } from "./words";

const actorOf = (entry: AuditEntry): string => entry.actor_name || entry.actor_email || entry.actor;

export default function AuditPage() {
  const [search, setSearch] = useSearchParams();
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const projects = useQuery(projectsQuery).data ?? [];
  const project = projects.find((one) => one.id === search.get("project"));
  // The log is of all projects, whose days differ: those of whoever reads it, until one project is chosen.
  const timeZone = project?.timezone ?? browserZone();
  const today = todayIn(timeZone, new Date());
  const choice = search.has("range") || search.has("from") ? readRange(search) : ({ preset: "all" } as const);
  const days = daysOf(choice, today);
  const filter: AuditFilter = {
    ...(search.get("project") && { project_id: search.get("project") ?? "" }),
    ...(search.get("action") && { action: search.get("action") ?? "" }),
    ...(days && { start: dayBegins(days.start, timeZone), end: dayBegins(addDays(days.end, 1), timeZone) }),
  };
  const query = useInfiniteQuery(auditQuery(filter));
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { preventScrollReset: true });
  };
  const columns: Column<AuditEntry>[] = [
    { key: "at", head: words.heads.at, width: "12rem", cell: (one) => <span className="figures text-ink-soft">{moment(one.at, timeZone)}</span> },
    { key: "actor", head: words.heads.actor, width: "minmax(10rem,14rem)", cell: (one) => <Stranger>{actorOf(one)}</Stranger> },
    { key: "action", head: words.heads.action, width: "12rem", cell: (one) => <code className="font-mono text-xs">{one.action}</code> },
    { key: "object", head: words.heads.object, width: "minmax(8rem,14rem)", cell: (one) => <Stranger>{one.object_name ?? one.object}</Stranger> },
    { key: "details", head: words.heads.details, width: "minmax(14rem,1fr)", cell: (one) => <Stranger>{detailsText(one.details)}</Stranger> },
  ];
  const entries = query.data ? entriesOf(query.data.pages) : [];
  return (
    <>
      <PageHead title={words.title} lead={`${words.lead} ${t.range.timesIn(timeZone, !project)}`}>
        <RangePicker choice={choice} today={today} timeZone={timeZone} onChange={(next) => setSearch(writeAll(search, next))} />
        <NativeSelect className="w-40" aria-label={words.project} value={search.get("project") ?? ""} onChange={(event) => set("project", event.target.value)}>
          <option value="">{words.anyProject}</option>
          {projects.map((project) => (
            <option key={project.id} value={project.id}>
              {project.name}
            </option>
          ))}
        </NativeSelect>
        <NativeSelect className="w-40" aria-label={words.action} value={search.get("action") ?? ""} onChange={(event) => set("action", event.target.value)}>
          <option value="">{words.anyAction}</option>
          {Object.entries(words.actions).map(([key, label]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </NativeSelect>
        <ReportMenu formats={["csv", "ndjson"]} onExport={(format) => saveFile(exportPath(filter, format === "csv" ? "csv" : "ndjson"), `audit.${format}`)} />
      </PageHead>
      <Card className="overflow-hidden">
        {query.isError && !query.data ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : query.data ? (
          <DataTable
            label={words.table}
            columns={columns}
            rows={entries}
            rowKey={(one) => String(one.id)}
            onOpen={setOpen}
            onEnd={() => {
              if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
            }}
            empty={<EmptyState title={words.empty.title} description={words.empty.text} />}
          />
        ) : (
          <Skeleton className="h-100 rounded-xl" />
        )}
      </Card>
      <Sheet open={open !== null} onClose={() => setOpen(null)} title={open ? words.entry(String(open.id)) : ""}>
        {open && <CodeBlock code={JSON.stringify(open, null, 2)} label={words.heads.details} />}
      </Sheet>
    </>
  );
}

/** Here nothing in the address means all days, so the default of other pages is written out. */
function writeAll(search: URLSearchParams, choice: Parameters<typeof writeRange>[1]): URLSearchParams {
  const next = writeRange(search, choice);
  if (choice.preset === "30d") next.set("range", "30d");
  if (choice.preset === "all") next.delete("range");
  return next;
}

const detailsText = (details: Record<string, unknown>): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");

function Stranger({ children }: { children: string }) {
  return (
    <span dir="auto" className="stranger line-clamp-1" title={children}>
      {children}
    </span>
  );
}
