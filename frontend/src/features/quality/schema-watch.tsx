import { paths } from "@/app/paths";
import { projectQuery } from "@/features/projects/queries";
import { ago, count, moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/card";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { Input } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { conflictsOf, isNew, type SeenEventType } from "./quality-math";
import { schemaQuery } from "./queries";
import { words } from "./words";

const said = words.schema;

/** Which events there are and whether their properties keep their types. */
export function SchemaWatch({ projectId }: { projectId: string }) {
  const schema = useQuery(schemaQuery(projectId));
  const project = useQuery(projectQuery(projectId)).data;
  const strict = new Set(project?.schemas.map((one) => one.event_type));
  const [search, setSearch] = useSearchParams();
  const [text, setText] = useState("");
  const now = new Date();
  const show = (name: string | null): void => {
    const next = new URLSearchParams(search);
    if (name === null) next.delete("event");
    else next.set("event", name);
    setSearch(next, { preventScrollReset: true });
  };
  if (schema.isError && !schema.data) return <Failure error={schema.error} onRetry={() => void schema.refetch()} />;
  if (!schema.data) return <Skeleton className="h-80 rounded-xl" />;
  const { event_types: all, event_types_total: total } = schema.data;
  const rows = all.filter((one) => one.event_type.toLowerCase().includes(text.trim().toLowerCase()));
  const opened = all.find((one) => one.event_type === search.get("event"));
  const columns: Column<SeenEventType>[] = [
    { key: "event", head: said.heads.event, width: "minmax(min(12rem,45vw),1fr)", stays: true, cell: (one) => <Name text={one.event_type} /> },
    { key: "events", head: said.heads.events, width: "7rem", isNumber: true, cell: (one) => count(one.events) },
    { key: "first", head: said.heads.first, width: "9rem", cell: (one) => ago(one.first_seen, now) },
    { key: "last", head: said.heads.last, width: "9rem", cell: (one) => ago(one.last_seen, now) },
    { key: "properties", head: said.heads.properties, width: "7rem", isNumber: true, cell: (one) => count(one.properties_total) },
    { key: "state", head: said.heads.state, width: "12rem", cell: (one) => <States one={one} isStrict={strict.has(one.event_type)} now={now} /> },
  ];
  return (
    <Card className="overflow-hidden">
      <div className="flex flex-wrap items-center justify-between gap-3 p-5 pb-4">
        <p className="max-w-[70ch] text-sm text-ink-soft">{said.lead}</p>
        <Input className="w-56" aria-label={said.search} placeholder={said.search} value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      <DataTable
        label={said.label}
        columns={columns}
        rows={rows}
        rowKey={(one) => one.event_type}
        onOpen={(one) => show(one.event_type)}
        openKey={opened?.event_type ?? null}
        empty={<EmptyState title={said.empty} description={said.emptyText} />}
        foot={total > all.length && <p className="px-3 py-2 text-xs text-ink-faint">{said.shown(count(all.length), count(total))}</p>}
      />
      {opened && (
        <Sheet open onClose={() => show(null)} title={opened.event_type} description={said.properties(count(opened.properties_total))}>
          <Properties one={opened} timeZone={project?.timezone ?? "UTC"} />
          <p className="mt-4 text-sm text-ink-faint">
            <Link className="text-accent-ink hover:underline" to={`${paths.settings(projectId)}?section=schemas`}>
              {said.makeStrict}
            </Link>
          </p>
        </Sheet>
      )}
    </Card>
  );
}

function Name({ text }: { text: string }) {
  return (
    <span dir="auto" className="stranger line-clamp-1 font-medium">
      {text}
    </span>
  );
}

function States({ one, isStrict, now }: { one: SeenEventType; isStrict: boolean; now: Date }) {
  const conflicts = conflictsOf(one);
  return (
    <span className="flex gap-1.5">
      {conflicts > 0 && <Badge tone="warning">{said.conflict(conflicts)}</Badge>}
      {isNew(one, now) && <Badge tone="accent">{said.fresh}</Badge>}
      {isStrict && <Badge tone="positive">{said.strict}</Badge>}
      {conflicts === 0 && !isStrict && !isNew(one, now) && <span className="text-ink-faint">{said.fine}</span>}
    </span>
  );
}

function Properties({ one, timeZone }: { one: SeenEventType; timeZone: string }) {
  if (one.properties.length === 0) return <p className="text-sm text-ink-soft">{said.noProperties}</p>;
  const sorted = [...one.properties].sort((first, second) => Number(second.is_conflict) - Number(first.is_conflict) || second.events - first.events);
  return (
    <ul className="divide-y divide-line">
      {sorted.map((property) => (
        <li key={property.name} className="py-2.5">
          <p className="flex items-baseline justify-between gap-4 text-sm">
            <Name text={property.name} />
            <span className="figures shrink-0 text-xs text-ink-faint">{count(property.events)}</span>
          </p>
          <p className="mt-1 flex flex-wrap items-center gap-1.5">
            {property.types.map((type) => (
              <Badge key={type.type} tone={property.is_conflict ? "warning" : "neutral"} title={moment(type.last_seen, timeZone)}>
                {`${type.type} ${count(type.events)}`}
              </Badge>
            ))}
            {property.is_conflict && <span className="text-xs text-warning">{said.conflictText}</span>}
          </p>
        </li>
      ))}
    </ul>
  );
}
