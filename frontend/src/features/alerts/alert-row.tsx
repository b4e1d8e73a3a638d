import { asProblem, explain } from "@/api/problem";
import type { Alert } from "@/api/types";
import { cn } from "@/lib/class-names";
import { ago, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Menu, MenuItem, MenuLine } from "@/ui/menu";
import { useToast } from "@/ui/toast";
import { BellRing, CircleCheck, CircleDashed, CirclePause, Ellipsis, Pause, Pencil, Play, Send, Trash2, TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import { choiceOf, draftOf, sentenceOf, watchedBy } from "./alert-draft";
import { useSaveAlert, useTestAlert } from "./queries";
import { words } from "./words";

const LOOKS = {
  firing: { icon: BellRing, tone: "text-danger bg-danger-wash" },
  error: { icon: TriangleAlert, tone: "text-warning bg-warning-wash" },
  unknown: { icon: CircleDashed, tone: "text-ink-soft bg-sunken" },
  ok: { icon: CircleCheck, tone: "text-positive bg-positive-wash" },
} as const;

interface Props {
  alert: Alert;
  funnelName: (id: string) => string | undefined;
  timeZone: string;
  onEdit: () => void;
  onDelete: () => void;
}

/** One rule: its state with icon and word, what was found, and what became of its messages. */
export function AlertRow({ alert, funnelName, timeZone, onEdit, onDelete }: Props) {
  const save = useSaveAlert(alert.project_id);
  const test = useTestAlert(alert.project_id);
  const toast = useToast();
  const watched = watchedBy(alert);
  const failed = alert.waiting && alert.waiting.attempts > 0 ? alert.waiting : null;
  const look = alert.is_paused ? { icon: CirclePause, tone: "text-ink-soft bg-sunken" } : LOOKS[alert.status];
  const say = (error: unknown): void => {
    const { title, advice } = explain(asProblem(error));
    toast({ tone: "danger", text: `${title} ${advice}` });
  };
  const sendTest = (): void =>
    test.mutate(alert.id, {
      onSuccess: (sent) =>
        toast(sent.is_delivered ? { text: words.tested(String(sent.status ?? "")) } : { tone: "danger", text: words.testFailed(sent.detail) }),
      onError: say,
    });
  const pause = (): void => save.mutate({ id: alert.id, body: choiceOf(draftOf(alert), !alert.is_paused) }, { onError: say });
  return (
    <li>
      <Card className="px-5 py-4">
        <div className="flex items-start gap-3">
          <span className={cn("grid size-8 shrink-0 place-items-center rounded-full", look.tone)}>
            <look.icon aria-hidden className="size-4" />
          </span>
          <div className="min-w-0 flex-1">
            <div className="flex flex-wrap items-baseline gap-x-3">
              <h2 dir="auto" className="stranger font-semibold">
                {alert.name}
              </h2>
              <span className={cn("text-sm font-medium", look.tone.split(" ")[0])}>{alert.is_paused ? words.paused : words.status[alert.status]}</span>
            </div>
            <p dir="auto" className="stranger mt-0.5 text-sm text-ink-soft">
              {sentenceOf(alert.rule, funnelName)}
            </p>
            {alert.text && (
              <p dir="auto" className={cn("stranger mt-1 text-sm", alert.status === "firing" ? "font-medium text-ink" : "text-ink-faint")}>
                {alert.text}
              </p>
            )}
            <p className="stranger mt-1 text-xs text-ink-faint">
              <Link className="rounded text-accent-ink underline underline-offset-2 hover:no-underline" to={watched.to}>
                {watched.label}
              </Link>
              {" · "}
              {[alert.checked_at && words.checked(ago(alert.checked_at, new Date())), alert.webhook_url ?? words.noWebhook, alert.is_waiting && !failed && words.waiting].filter(Boolean).join(" · ")}
            </p>
            {failed && (
              <p className="stranger mt-1 text-sm text-warning">{words.tried(failed.attempts, failed.detail, moment(failed.next_at, timeZone))}</p>
            )}
            <Deliveries alert={alert} timeZone={timeZone} />
          </div>
          <Menu
            trigger={
              <Button size="icon" variant="ghost" aria-label={words.menu(alert.name)} busy={test.isPending}>
                {!test.isPending && <Ellipsis aria-hidden className="size-4" />}
              </Button>
            }
          >
            <MenuItem onSelect={onEdit}>
              <Pencil aria-hidden />
              {t.actions.edit}
            </MenuItem>
            {alert.webhook_url && (
              <MenuItem onSelect={sendTest}>
                <Send aria-hidden />
                {words.test}
              </MenuItem>
            )}
            <MenuItem onSelect={pause}>
              {alert.is_paused ? <Play aria-hidden /> : <Pause aria-hidden />}
              {alert.is_paused ? words.resume : words.pause}
            </MenuItem>
            <MenuLine />
            <MenuItem onSelect={onDelete}>
              <Trash2 aria-hidden />
              {words.remove}
            </MenuItem>
          </Menu>
        </div>
      </Card>
    </li>
  );
}

function Deliveries({ alert, timeZone }: { alert: Alert; timeZone: string }) {
  if (alert.deliveries.length === 0) return null;
  return (
    <details className="mt-2 text-sm">
      <summary className="w-fit rounded text-accent-ink">{words.deliveries}</summary>
      <ul className="mt-1.5 flex flex-col gap-1 text-xs text-ink-soft">
        {alert.deliveries.map((one) => (
          <li key={`${one.at} ${one.type}`} className="figures stranger">
            {[
              moment(one.at, timeZone),
              words.types[one.type as keyof typeof words.types] ?? one.type,
              words.outcome[one.outcome],
              one.status === null ? one.detail : String(one.status),
            ]
              .filter(Boolean)
              .join(" · ")}
          </li>
        ))}
      </ul>
    </details>
  );
}
