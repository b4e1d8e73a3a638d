import type { LiveResult, LiveState } from "@/api/live";
import { paths } from "@/app/paths";
import { personOf } from "@/features/events/log-question";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { cn } from "@/lib/class-names";
import { compactCount, count, stamp } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { DataTable, type Column } from "@/ui/data-table";
import { EmptyState } from "@/ui/empty-state";
import { Segmented } from "@/ui/segmented";
import { Scroller } from "@/ui/scroller";
import { Pause, Play } from "lucide-react";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { LiveSheet } from "./live-sheet";
import { HELD_MAX, OUTCOMES, rowsShown, total, type LiveRow, type LiveStore } from "./live-store";
import { OutcomeBadge } from "./outcome-badge";
import { RateCard } from "./rate-card";
import { useLive } from "./use-live";
import { words } from "./words";

interface Props {
  frame: ReportFrame;
  eventType: string | null;
  person: string | null;
}

/** The stream: rate, counts by outcome, the latest events. */
export function LiveView({ frame, eventType, person }: Props) {
  const { projectId, timeZone, search } = frame;
  const live = useLive(projectId, eventType, person);
  const [frozen, setFrozen] = useState<LiveStore | null>(null);
  const [open, setOpen] = useState<LiveRow | null>(null);
  const shown = frozen ?? live.store;
  const outcome = outcomeOf(search.get("outcome"));
  const rows = useMemo(() => rowsShown(shown, outcome), [shown, outcome]);
  const columns = useMemo(() => columnsOf(timeZone), [timeZone]);
  return (
    <>
      <div className="-mt-2 mb-4 flex flex-wrap items-center gap-x-3 gap-y-2">
        <StateLine state={live.state} now={live.now} onRetry={live.retry} />
        <span className="flex-1" />
        {frozen && <span role="status" className="figures text-sm text-ink-soft">{words.since(count(total(live.store.counts) - total(frozen.counts)))}</span>}
        <Button size="sm" onClick={() => setFrozen(frozen ? null : live.store)} aria-pressed={frozen !== null}>
          {frozen ? <Play aria-hidden className="size-3.5" /> : <Pause aria-hidden className="size-3.5" />}
          {frozen ? words.resume : words.pause}
        </Button>
        <Button
          size="sm"
          variant="ghost"
          onClick={() => {
            live.clear();
            setFrozen(null);
          }}
        >
          {words.clear}
        </Button>
      </div>
      <RateCard store={live.store} now={live.now} timeZone={timeZone} />
      <Card className="overflow-hidden">
        <Scroller className="max-w-full border-b border-line" inside="p-3">
          <Segmented
            label={words.outcome}
            value={outcome ?? "all"}
            onChange={(value) => frame.set("outcome", value === "all" ? null : value)}
            options={[
              { value: "all", label: <Counted name={words.all} amount={total(shown.counts)} /> },
              ...OUTCOMES.map((one) => ({ value: one, label: <Counted name={words.outcomes[one]} amount={shown.counts[one]} isAlarming={one === "rejected"} /> })),
            ]}
          />
        </Scroller>
        <DataTable
          label={words.stream}
          columns={columns}
          rows={rows}
          rowKey={keyOf}
          onOpen={setOpen}
          openKey={open && keyOf(open)}
          keepsPlace
          height="h-[max(20rem,calc(100dvh-32rem))]"
          empty={<Nothing projectId={projectId} outcome={outcome} isEmpty={total(shown.counts) === 0} />}
        />
        <footer className="figures flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-5 py-2 text-xs text-ink-faint">
          <span>{words.held(count(HELD_MAX))}</span>
          {shown.skipped > 0 && <span className="text-warning">{words.skipped(count(shown.skipped))}</span>}
          {shown.hasGap && <span className="text-warning">{words.gap}</span>}
        </footer>
      </Card>
      {open && <LiveSheet projectId={projectId} timeZone={timeZone} row={open} onClose={() => setOpen(null)} />}
    </>
  );
}

const keyOf = (row: LiveRow): string => String(row.number);
const outcomeOf = (said: string | null): LiveResult | null => OUTCOMES.find((one) => one === said) ?? null;

function Counted({ name, amount, isAlarming = false }: { name: string; amount: number; isAlarming?: boolean }) {
  return (
    <span className="inline-flex items-baseline gap-1.5 whitespace-nowrap">
      {name}
      <span className={cn("figures text-xs font-normal text-ink-faint", isAlarming && amount > 0 && "font-medium text-danger")} title={count(amount)}>
        {compactCount(amount)}
      </span>
    </span>
  );
}

function StateLine({ state, now, onRetry }: { state: LiveState; now: number; onRetry: () => void }) {
  const said = words.state;
  const seconds = state.is === "waiting" ? count(Math.max(1, Math.ceil((state.until - now) / 1_000))) : "";
  const text = state.is === "waiting" ? (state.isCrowded ? said.crowded(seconds) : said.waiting(seconds)) : state.is === "ended" ? said[state.why] : said[state.is];
  const isOpen = state.is === "open";
  return (
    <div className="flex min-h-7 items-center gap-2 text-sm">
      <span aria-hidden className="relative grid size-2.5 place-items-center">
        {isOpen && <span className="absolute size-2.5 animate-ping-slow rounded-full bg-positive" />}
        <span className={cn("size-2 rounded-full", isOpen ? "bg-positive" : state.is === "ended" ? "bg-danger" : "bg-pulse")} />
      </span>
      <span role="status" className={cn("figures", isOpen ? "text-positive" : state.is === "ended" ? "text-danger" : "text-ink-soft")}>
        {text}
      </span>
      {(state.is === "waiting" || state.is === "ended") && (
        <Button size="sm" variant="ghost" onClick={onRetry}>
          {said.now}
        </Button>
      )}
    </div>
  );
}

function columnsOf(timeZone: string): Column<LiveRow>[] {
  return [
    { key: "time", head: words.columns.time, width: "10.5rem", cell: (row) => <span className="figures text-ink-soft" title={row.received_at}>{stamp(row.received_at, timeZone)}</span> },
    { key: "outcome", head: words.columns.outcome, width: "8.5rem", cell: (row) => <OutcomeBadge outcome={row.result} /> },
    { key: "event", head: words.columns.event, width: "minmax(10rem,1fr)", cell: (row) => <EventName row={row} /> },
    { key: "person", head: words.columns.person, width: "minmax(9rem,1fr)", cell: (row) => <Line text={row.event ? personOf(row.event) : null} /> },
    { key: "detail", head: words.columns.detail, width: "minmax(16rem,2fr)", cell: (row) => <Line text={detailOf(row)} isSoft /> },
  ];
}

function EventName({ row }: { row: LiveRow }) {
  if (row.event_type === undefined) return <span className="text-ink-faint italic">{row.count !== undefined && row.count > 1 ? words.several(count(row.count)) : words.unnamed}</span>;
  return (
    <span dir="auto" className="block truncate font-medium [unicode-bidi:isolate]" title={row.event_type}>
      {row.event_type}
    </span>
  );
}

function Line({ text, isSoft = false }: { text: string | null; isSoft?: boolean }) {
  if (text === null) return <span className="text-ink-faint">{words.nobody}</span>;
  return (
    <span dir="auto" className={cn("block truncate [unicode-bidi:isolate]", isSoft && "text-ink-soft")} title={text}>
      {text}
    </span>
  );
}

/** The most that one line can say: why it is not stored, or where it happened. */
function detailOf(row: LiveRow): string | null {
  const reason = row.reason === undefined ? null : (words.reasons[row.reason]?.title ?? row.reason);
  if (row.result === "rejected") return [reason, row.message].filter((part) => part).join(": ") || null;
  const url = row.event?.url;
  if (row.result === "duplicate" && reason !== null && row.event_id !== undefined) return `${reason}: ${row.event_id}`;
  return reason ?? (typeof url === "string" ? url : null) ?? row.event_id ?? null;
}

function Nothing({ projectId, outcome, isEmpty }: { projectId: string; outcome: LiveResult | null; isEmpty: boolean }) {
  const said = words.waitingFor;
  if (!isEmpty && outcome) return <EmptyState title={said.none(words.outcomes[outcome])} description={said.noneText} className="min-h-72 justify-center" />;
  return (
    <EmptyState title={said.title} description={said.text} className="min-h-72 justify-center">
      <Button asChild>
        <Link to={paths.events(projectId)}>{said.log}</Link>
      </Button>
      <Button asChild>
        <Link to={paths.setup(projectId)}>{said.setup}</Link>
      </Button>
    </EmptyState>
  );
}
