import { useMay } from "@/features/account/use-role";
import { cn } from "@/lib/class-names";
import { moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { Field } from "@/ui/field";
import { inputLook } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { useToast } from "@/ui/toast";
import { useState } from "react";
import { mergePatch, prettyEvent, readEvent } from "./quality-math";
import { useDiscard, useReplay, useTrial, type Correction, type ReplayAnswer, type Row } from "./queries";
import { reasonLabel, reasonText, words } from "./words";

const said = words.row;

interface Props {
  projectId: string;
  row: Row;
  timeZone: string;
  onClose: () => void;
}

/** One refused event: why, its text to mend, a trial, and the replay. */
export function RowSheet({ projectId, row, timeZone, onClose }: Props) {
  const mayMend = useMay("admin");
  const toast = useToast();
  const trial = useTrial(projectId);
  const replay = useReplay(projectId);
  const [text, setText] = useState(() => prettyEvent(row.body));
  const [fault, setFault] = useState<string>();
  const isOpen = mayMend && row.is_replayable;
  const run = (then: (changes: Correction) => void): void => {
    const changes = correctionOf(row.body, text);
    setFault("fault" in changes ? changes.fault : undefined);
    if ("correction" in changes) then(changes.correction);
  };
  const which = { ids: [row.id] };
  const store = (): void =>
    run((changes) =>
      replay.mutate(
        { which, changes },
        {
          onSuccess: (answer) => {
            const result = answer.results[0]?.result;
            if (!result || result === "rejected") return;
            toast({ text: said.did[result] });
            onClose();
          },
        },
      ),
    );
  const answer = replay.data ?? trial.data;
  return (
    <Sheet
      open
      onClose={onClose}
      title={said.title(row.event_type ?? words.list.unnamed)}
      description={said.received(moment(row.received_at, timeZone))}
      foot={
        mayMend && (
          <>
            <Discard projectId={projectId} id={row.id} onDone={onClose} />
            <span className="grow" />
            {isOpen && (
              <>
                <Button busy={trial.isPending} onClick={() => run((changes) => { replay.reset(); trial.mutate({ which, changes }); })}>
                  {said.trial}
                </Button>
                <Button variant="primary" busy={replay.isPending} onClick={store}>
                  {said.replay}
                </Button>
              </>
            )}
          </>
        )
      }
    >
      <div className="flex flex-col gap-4">
        <Reason row={row} />
        {row.replayed_at ? (
          <p className="text-sm text-positive">{said.replayedAt(moment(row.replayed_at, timeZone))}</p>
        ) : (
          !row.is_replayable && <p className="text-sm text-ink-soft">{said.cannot(row.not_replayable_because ?? "")}</p>
        )}
        <Field label={said.body} hint={isOpen ? said.bodyHint : undefined} error={fault}>
          {(wiring) => (
            <textarea
              {...wiring}
              rows={Math.min(24, Math.max(8, text.split("\n").length + 1))}
              readOnly={!isOpen}
              dir="auto"
              spellCheck={false}
              className={cn(inputLook, "stranger h-auto py-2 font-mono text-xs leading-relaxed")}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setFault(undefined);
                trial.reset();
                replay.reset();
              }}
            />
          )}
        </Field>
        <FormError error={replay.error ?? trial.error} />
        {answer && <Outcome answer={answer} />}
      </div>
    </Sheet>
  );
}

/** The change between what was sent and what stands in the field now. */
function correctionOf(body: string, text: string): { correction: Correction } | { fault: string } {
  const from = readEvent(body);
  const to = readEvent(text);
  if ("fault" in to) return to;
  if ("fault" in from) return from;
  const merge = mergePatch(from.event, to.event);
  return merge === null ? { fault: said.nulls } : { correction: { rename: {}, merge } };
}

function Reason({ row }: { row: Row }) {
  return (
    <div className="rounded-lg bg-danger-wash p-3.5 text-sm">
      <p className="flex flex-wrap items-center gap-2 font-medium text-danger">
        {reasonLabel(row.reason)}
        <Badge>{row.reason}</Badge>
      </p>
      <p className="mt-1 text-ink-soft">{reasonText(row.reason)}</p>
      <p className="stranger mt-1.5 text-ink">
        {row.message} {row.pointer && <code className="font-mono text-xs">{said.pointer(row.pointer)}</code>}
      </p>
    </div>
  );
}

function Outcome({ answer }: { answer: ReplayAnswer }) {
  const result = answer.results[0];
  if (!result) return null;
  return (
    <p role="status" className={cn("stranger rounded-lg px-3 py-2.5 text-sm", result.result === "rejected" ? "bg-warning-wash text-warning" : "bg-positive-wash text-positive")}>
      {said.would[result.result]}
      {result.result === "rejected" && ` ${result.message ?? ""} ${result.pointer ? said.pointer(result.pointer) : ""}`}
    </p>
  );
}

function Discard({ projectId, id, onDone }: { projectId: string; id: string; onDone: () => void }) {
  const discard = useDiscard(projectId);
  const toast = useToast();
  const [isAsking, setAsking] = useState(false);
  const confirm = (): void =>
    discard.mutate(
      { id },
      {
        onSuccess: () => {
          toast({ text: said.discarded });
          onDone();
        },
      },
    );
  return (
    <>
      <Button variant="danger" onClick={() => setAsking(true)}>
        {said.discard}
      </Button>
      <ConfirmDialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={confirm}
        title={said.discardTitle}
        description={
          <div className="flex flex-col gap-3">
            <p>{said.discardText}</p>
            <FormError error={discard.error} />
          </div>
        }
        confirm={said.discard}
        busy={discard.isPending}
      />
    </>
  );
}
