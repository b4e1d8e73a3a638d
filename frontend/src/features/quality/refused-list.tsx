import { asProblem, explain } from "@/api/problem";
import { saveFile } from "@/api/files";
import { useMay } from "@/features/account/use-role";
import { useProjectZone } from "@/features/projects/queries";
import { count, moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Segmented } from "@/ui/segmented";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { BulkDialog } from "./bulk-dialog";
import { fieldOf } from "./quality-math";
import { exportPath, rowsQuery, useDiscard, type Row, type RowFilter, type State } from "./queries";
import { RowSheet } from "./row-sheet";
import { reasonLabel, reasonText, words } from "./words";

const said = words.list;
const STATES: readonly State[] = ["waiting", "replayed", "all"];
/** Of these no text is kept: there is nothing to list. */
const UNKEPT = new Set(["duplicate", "sampled_out", "rate_limited", "quota_exceeded"]);

/** The refused events, newest first; `?reason=` and `?state=` choose, `?row=` opens one. */
export function RefusedList({ projectId }: { projectId: string }) {
  const [search, setSearch] = useSearchParams();
  const filter: RowFilter = { reason: search.get("reason") ?? "", state: STATES.find((one) => one === search.get("state")) ?? "waiting" };
  const query = useInfiniteQuery(rowsQuery(projectId, filter));
  const [opened, setOpened] = useState<Row | null>(null);
  const timeZone = useProjectZone(projectId);
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { preventScrollReset: true });
  };
  return (
    <Card className="overflow-hidden">
      <p className="max-w-[75ch] px-5 pt-4 text-sm text-ink-soft">{filter.reason ? reasonText(filter.reason) : said.lead}</p>
      <Controls projectId={projectId} filter={filter} hasRows={rows.length > 0} onSet={set} />
      {query.isError && !query.data ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : !query.data ? (
        <Skeleton className="m-5 h-64 rounded-lg" />
      ) : (
        <DataTable
          label={said.label}
          columns={columnsOf(timeZone)}
          rows={rows}
          rowKey={(row) => row.id}
          onOpen={setOpened}
          openKey={opened?.id ?? null}
          onEnd={() => query.hasNextPage && !query.isFetchingNextPage && void query.fetchNextPage()}
          empty={<EmptyState title={said.empty} description={said.emptyText} />}
          foot={query.data.pages[0]?.is_complete === false && <p className="px-3 py-2 text-xs text-ink-faint">{words.incomplete}</p>}
        />
      )}
      {opened && <RowSheet key={opened.id} projectId={projectId} row={opened} timeZone={timeZone} onClose={() => setOpened(null)} />}
    </Card>
  );
}

const columnsOf = (timeZone: string): Column<Row>[] => [
  { key: "at", head: said.heads.at, width: "11rem", cell: (row) => <span className="figures">{moment(row.received_at, timeZone)}</span> },
  {
    key: "event",
    head: said.heads.event,
    width: "minmax(10rem,1fr)",
    cell: (row) => (
      <span dir="auto" className="stranger line-clamp-1 font-medium">
        {row.event_type ?? said.unnamed}
      </span>
    ),
  },
  { key: "reason", head: said.heads.reason, width: "12rem", cell: (row) => <Badge tone={row.replayed_at ? "positive" : "danger"}>{row.replayed_at ? said.replayed : reasonLabel(row.reason)}</Badge> },
  { key: "message", head: said.heads.message, width: "minmax(14rem,2fr)", cell: (row) => <span className="stranger line-clamp-1 text-ink-soft">{row.pointer ? `${fieldOf(row.pointer)}: ${row.message}` : row.message}</span> },
  { key: "source", head: said.heads.source, width: "8rem", cell: (row) => <span className="stranger line-clamp-1 text-ink-faint">{row.source ?? ""}</span> },
];

interface ControlProps {
  projectId: string;
  filter: RowFilter;
  hasRows: boolean;
  onSet: (name: string, value: string) => void;
}

function Controls({ projectId, filter, hasRows, onSet }: ControlProps) {
  const mayMend = useMay("admin");
  const toast = useToast();
  const discard = useDiscard(projectId);
  const [asked, setAsked] = useState<"replay" | "discard" | null>(null);
  const fail = (error: unknown): void => {
    const { title, advice } = explain(asProblem(error));
    toast({ tone: "danger", text: `${title} ${advice}` });
  };
  const reasons = Object.keys(words.reasons).filter((reason) => !UNKEPT.has(reason));
  const name = filter.reason ? reasonLabel(filter.reason) : words.bulk.all;
  const isWaiting = filter.state === "waiting" && hasRows;
  return (
    <div className="flex flex-wrap items-center gap-2 px-5 py-4">
      <NativeSelect className="w-56" aria-label={said.reason} value={filter.reason} onChange={(event) => onSet("reason", event.target.value)}>
        <option value="">{said.allReasons}</option>
        {(reasons.includes(filter.reason) || filter.reason === "" ? reasons : [filter.reason, ...reasons]).map((reason) => (
          <option key={reason} value={reason}>
            {reasonLabel(reason)}
          </option>
        ))}
      </NativeSelect>
      <Segmented label={said.state} value={filter.state} options={STATES.map((value) => ({ value, label: said.states[value] }))} onChange={(value) => onSet("state", value === "waiting" ? "" : value)} />
      <span className="grow" />
      <span className="flex items-center">
        {(["csv", "ndjson"] as const).map((format) => (
          <Button key={format} variant="ghost" size="sm" disabled={!hasRows} aria-label={`${said.export} ${said.exports[format]}`} onClick={() => void saveFile(exportPath(projectId, filter, format), `refused.${format}`).catch(fail)}>
            <Download aria-hidden className="size-3.5" />
            {said.exports[format]}
          </Button>
        ))}
      </span>
      {mayMend && isWaiting && (
        <>
          <Button size="sm" variant="danger" onClick={() => setAsked("discard")}>
            {said.discardAll}
          </Button>
          <Button size="sm" variant="primary" onClick={() => setAsked("replay")}>
            {said.replayAll}
          </Button>
        </>
      )}
      {asked === "replay" && <BulkDialog projectId={projectId} reason={filter.reason} onClose={() => setAsked(null)} />}
      <ConfirmDialog
        open={asked === "discard"}
        onClose={() => setAsked(null)}
        onConfirm={() =>
          discard.mutate(
            { reason: filter.reason },
            { onSuccess: ({ deleted }) => toast({ text: words.bulk.discarded(count(deleted)) }), onError: fail, onSettled: () => setAsked(null) },
          )
        }
        title={words.bulk.discardTitle(name)}
        description={words.bulk.discardText}
        confirm={said.discardAll}
        busy={discard.isPending}
      />
    </div>
  );
}
