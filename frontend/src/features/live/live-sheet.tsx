import { paths } from "@/app/paths";
import { EventDetail } from "@/features/events/event-detail";
import { count, stamp } from "@/lib/format";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Sheet } from "@/ui/sheet";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { LiveRow } from "./live-store";
import { OutcomeBadge } from "./outcome-badge";
import { words as allWords } from "./words";

const words = allWords.detail;

interface Props {
  projectId: string;
  timeZone: string;
  row: LiveRow;
  onClose: () => void;
}

/** One event as it came in: what became of it, why, its text, and what to do. */
export function LiveSheet({ projectId, timeZone, row, onClose }: Props) {
  const reason = row.reason === undefined ? undefined : allWords.reasons[row.reason];
  const title = row.event_type ?? (row.count !== undefined && row.count > 1 ? allWords.several(count(row.count)) : allWords.unnamed);
  return (
    <Sheet open onClose={onClose} title={title} description={<Head row={row} timeZone={timeZone} />} className="w-[min(40rem,100vw)]">
      <div className="flex flex-col gap-4">
        {row.result !== "stored" && (
          <section className="rounded-lg bg-sunken px-4 py-3 text-sm">
            <h3 className="font-semibold">{reason?.title ?? row.reason ?? allWords.outcomes[row.result]}</h3>
            <p className="mt-0.5 text-ink-soft">{reason?.advice ?? allWords.outcomeHelp[row.result]}</p>
            <Way projectId={projectId} row={row} />
          </section>
        )}
        {(row.message !== undefined || row.pointer !== undefined || (row.event_id !== undefined && !row.event)) && (
          <dl className="divide-y divide-line rounded-lg border border-line text-sm">
            {row.message !== undefined && <Fact name={words.message}>{row.message}</Fact>}
            {row.pointer !== undefined && row.pointer !== "" && <Fact name={words.pointer}>{row.pointer}</Fact>}
            {row.event_id !== undefined && !row.event && <Fact name={words.id}>{row.event_id}</Fact>}
          </dl>
        )}
        {row.body !== undefined && <Body text={row.body} />}
        {row.event && <EventDetail projectId={projectId} timeZone={timeZone} event={row.event} />}
      </div>
    </Sheet>
  );
}

function Head({ row, timeZone }: { row: LiveRow; timeZone: string }) {
  return (
    <span className="mt-1 flex flex-wrap items-center gap-2">
      <OutcomeBadge outcome={row.result} />
      <span className="figures">{`${words.received} ${stamp(row.received_at, timeZone)}`}</span>
      {row.worker !== undefined && <span className="figures text-ink-faint">{words.worker(String(row.worker))}</span>}
    </span>
  );
}

/** Where something can be done about it. */
function Way({ projectId, row }: { projectId: string; row: LiveRow }) {
  const way =
    row.result === "rejected"
      ? { to: paths.quality(projectId), label: words.quality }
      : row.result === "limited" || row.result === "sampled_out"
        ? { to: paths.settings(projectId), label: words.settings }
        : null;
  if (!way) return null;
  return (
    <Button asChild size="sm" className="mt-2.5">
      <Link to={way.to}>{way.label}</Link>
    </Button>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(6rem,35%)_1fr] gap-3 px-3 py-1.5">
      <dt className="text-ink-soft">{name}</dt>
      <dd dir="auto" className="stranger min-w-0">
        {children}
      </dd>
    </div>
  );
}

function Body({ text }: { text: string }) {
  return (
    <section>
      <div className="mb-1.5 flex items-center justify-between gap-3">
        <h3 className="text-sm font-semibold">{words.text}</h3>
        <CopyButton text={text} label={words.copyText} />
      </div>
      <pre dir="ltr" tabIndex={0} aria-label={words.text} className="stranger max-h-96 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs whitespace-pre-wrap">
        {pretty(text)}
      </pre>
    </section>
  );
}

/** Indented when it is JSON; a text that was cut stays as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
