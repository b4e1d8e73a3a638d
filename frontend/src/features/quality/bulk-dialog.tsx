import { count } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { useToast } from "@/ui/toast";
import { useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { isPointer, patchAt } from "./quality-math";
import { useReplay, useTrial, type Correction, type ReplayAnswer } from "./queries";
import { reasonLabel, words } from "./words";

const said = words.bulk;
const SHOWN_MAX = 3;

interface Draft {
  change: "none" | "rename" | "set";
  from: string;
  to: string;
  value: string;
}

interface Props {
  projectId: string;
  /** Empty: all reasons. */
  reason: string;
  onClose: () => void;
}

const correctionOf = ({ change, from, to, value }: Draft): Correction => ({
  rename: change === "rename" ? { [from.trim()]: to.trim() } : {},
  merge: change === "set" ? patchAt(to, JSON.parse(value) as never) : {},
});

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** One change for all that wait for a reason; a trial comes before the replay. */
export function BulkDialog({ projectId, reason, onClose }: Props) {
  const trial = useTrial(projectId);
  const replay = useReplay(projectId);
  const toast = useToast();
  const [tried, setTried] = useState<string | null>(null);
  const [looked, setLooked] = useState(0);
  const form = useForm<Draft>({ defaultValues: { change: "none", from: "", to: "", value: "" } });
  const draft = useWatch({ control: form.control }) as Draft;
  const { errors } = form.formState;
  const filter = { filter: { reason: reason || null } };
  const isTried = tried === JSON.stringify(draft) && trial.data !== undefined;
  const numbers = (answer: ReplayAnswer): [string, string, string] => [count(answer.accepted), count(answer.duplicates), count(answer.rejected)];
  const submit = form.handleSubmit((values) => {
    if (!isTried) {
      setTried(JSON.stringify(values));
      trial.mutate({ which: filter, changes: correctionOf(values) });
      return;
    }
    replay.mutate(
      { which: filter, changes: correctionOf(values), onRound: setLooked },
      {
        onSuccess: (answer) => {
          toast({ text: said.did(...numbers(answer)) });
          onClose();
        },
      },
    );
  });
  const pointer = (text: string): true | string => isPointer(text) || said.pointerInvalid;
  return (
    <Dialog open onClose={onClose} title={said.title(reason ? reasonLabel(reason) : said.all)} description={said.lead}>
      <form noValidate onSubmit={(event) => void submit(event)} className="mt-4 flex flex-col gap-4">
        <FormError error={replay.error ?? trial.error} />
        <Field label={said.change}>
          {(wiring) => (
            <NativeSelect {...wiring} {...form.register("change")}>
              {Object.entries(said.changes).map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {draft.change === "rename" && (
          <Field label={said.from} hint={said.pointerHint} error={errors.from?.message}>
            {(wiring) => <Input {...wiring} autoComplete="off" className="font-mono" {...form.register("from", { validate: pointer })} />}
          </Field>
        )}
        {draft.change !== "none" && (
          <Field label={said.to} hint={said.pointerHint} error={errors.to?.message}>
            {(wiring) => <Input {...wiring} autoComplete="off" className="font-mono" {...form.register("to", { validate: pointer })} />}
          </Field>
        )}
        {draft.change === "set" && (
          <Field label={said.value} hint={said.valueHint} error={errors.value?.message}>
            {(wiring) => <Input {...wiring} autoComplete="off" className="font-mono" {...form.register("value", { validate: (text) => isJson(text) || said.valueInvalid })} />}
          </Field>
        )}
        {isTried && trial.data && <Trial answer={trial.data} text={said.would(...numbers(trial.data))} />}
        {replay.isPending && looked > 0 && <p role="status" className="text-sm text-ink-soft">{said.running(count(looked))}</p>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button type="submit" variant={isTried ? "primary" : "secondary"} busy={trial.isPending || replay.isPending}>
            {isTried ? said.replay : said.trial}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Trial({ answer, text }: { answer: ReplayAnswer; text: string }) {
  const faults = [...new Set(answer.results.flatMap((one) => (one.result === "rejected" && one.message ? [one.message] : [])))];
  return (
    <div role="status" className="rounded-lg bg-sunken p-3 text-sm">
      <p className="figures font-medium">{text}</p>
      {answer.next_cursor && <p className="mt-1 text-ink-soft">{said.more}</p>}
      {faults.length > 0 && (
        <p className="stranger mt-1 text-ink-soft">
          {said.stillWrong} {faults.slice(0, SHOWN_MAX).join("; ")}
        </p>
      )}
    </div>
  );
}
