import { asProblem } from "@/api/problem";
import { paths } from "@/app/paths";
import type { ProjectStatus } from "@/api/types";
import { eventNamesQuery } from "@/features/report/queries";
import { ago, count, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Check, Send } from "lucide-react";
import { Link } from "react-router";
import { useSendTest } from "./queries";
import { words } from "./words";

const SEEN_MAX = 6;
/** As the diagnosis has it: what came in these minutes arrives now. */
const RECENT_MS = 15 * 60_000;

interface Props {
  projectId: string;
  status: ProjectStatus;
  timeZone: string;
  /** The write key, for an event that is sent from here. */
  apiKey: string;
}

/** Waits for the first event and turns green by itself when it is there. */
export function StatusCard(props: Props) {
  const { status } = props;
  return (
    <Card role="status" aria-live="polite" data-state={status.events_total > 0 ? "received" : "waiting"}>
      {status.events_total > 0 ? <Received {...props} /> : <Waiting {...props} />}
    </Card>
  );
}

function Waiting({ projectId, apiKey }: Props) {
  return (
    <div className="flex gap-4 p-5">
      <span aria-hidden className="relative mt-1 grid size-5 shrink-0 place-items-center">
        <span className="absolute size-2.5 animate-ping-slow rounded-full bg-pulse" />
        <span className="size-2.5 rounded-full bg-pulse" />
      </span>
      <div>
        <h2 className="font-semibold">{t.setup.waiting.title}</h2>
        <p className="mt-1 text-sm text-ink-soft">{t.setup.waiting.text}</p>
        <p className="mt-3 text-sm text-ink-faint">{words.test.title} {words.test.text}</p>
        <TestButton projectId={projectId} apiKey={apiKey} />
      </div>
    </div>
  );
}

/** The answer of the public door is told as it came: a refused origin is refused here, too. */
function TestButton({ projectId, apiKey }: { projectId: string; apiKey: string }) {
  const send = useSendTest(projectId, apiKey);
  const said = words.test;
  const outcome = { ok: said.sent, duplicate: said.duplicate, sampled_out: said.sampled };
  return (
    <div className="mt-2">
      <Button size="sm" busy={send.isPending} onClick={() => send.mutate()}>
        <Send aria-hidden className="size-3.5" />
        {said.action}
      </Button>
      {send.data && <p className="mt-2 text-sm text-positive">{outcome[send.data.status]}</p>}
      {send.error && <p className="stranger mt-2 text-sm text-danger">{said.failed(asProblem(send.error).message)}</p>}
    </div>
  );
}

function Received({ projectId, status, timeZone, apiKey }: Props) {
  const seen = useQuery(eventNamesQuery(projectId, "")).data ?? [];
  const now = new Date();
  const last = status.last_event_at ? ago(status.last_event_at, now) : "";
  const isRecent = status.last_event_at !== null && now.getTime() - Date.parse(status.last_event_at) < RECENT_MS;
  return (
    <div className="animate-fade p-5">
      <div className="flex gap-4">
        <span aria-hidden className="grid size-6 shrink-0 place-items-center rounded-full bg-positive-wash text-positive">
          <Check className="size-3.5" strokeWidth={3} />
        </span>
        <div>
          <h2 className="font-semibold text-positive">{isRecent ? t.setup.received.title : t.setup.received.titleLater}</h2>
          <p className="figures mt-1 text-sm text-ink-soft">{t.setup.received.text(count(status.events_total), last)}</p>
          {status.first_event_at && (
            <p className="figures mt-0.5 text-sm text-ink-faint">{t.setup.received.first(moment(status.first_event_at, timeZone))}</p>
          )}
        </div>
      </div>
      {seen.length > 0 && (
        <div className="mt-4 border-t border-line pt-3">
          <h3 className="mb-1.5 text-xs text-ink-faint">{t.setup.received.seen}</h3>
          <ul className="flex flex-col">
            {seen.slice(0, SEEN_MAX).map((event) => (
              <li key={event.name} className="flex justify-between gap-4 py-1 text-sm">
                <span dir="auto" className="stranger line-clamp-1 min-w-0">
                  {event.name}
                </span>
                <span className="figures text-ink-faint">{count(event.count)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Button asChild className="mt-4 w-full">
        <Link to={paths.newFunnel(projectId, "seen")}>
          {t.setup.received.build}
          <ArrowRight aria-hidden className="size-4" />
        </Link>
      </Button>
      <TestButton projectId={projectId} apiKey={apiKey} />
    </div>
  );
}
