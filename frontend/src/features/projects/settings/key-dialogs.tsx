import type { ProjectKey } from "@/api/types";
import { CodeBlock } from "@/features/setup/code-block";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { useMakeKey, useRotateKey } from "../queries";
import { words } from "../words";
import { Choice } from "./plain-sections";

const said = words.keys;

interface Props {
  projectId: string;
  onClose: () => void;
  onMade: (key: ProjectKey) => void;
}

export function MakeKeyDialog({ projectId, onClose, onMade }: Props) {
  const make = useMakeKey(projectId);
  const form = useForm<{ kind: ProjectKey["kind"]; name: string }>({ defaultValues: { kind: "write", name: "" } });
  const kind = useWatch({ control: form.control, name: "kind" });
  const submit = form.handleSubmit((values) =>
    make.mutate({ ...values, name: values.name.trim() }, { onSuccess: onMade, onError: (error) => showFieldErrors(error, form.setError) }),
  );
  return (
    <Dialog open onClose={onClose} title={said.makeTitle}>
      <form noValidate onSubmit={(event) => void submit(event)} className="mt-4 flex flex-col gap-4">
        <FormError error={make.error} />
        <Field label={said.name} error={form.formState.errors.name?.message}>
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              autoComplete="off"
              autoFocus
              placeholder={said.namePlaceholder}
              {...form.register("name", { validate: (text) => text.trim() !== "" || said.nameInvalid })}
            />
          )}
        </Field>
        <Field label={said.kind} hint={said.kindText[kind]}>
          {(wiring) => <Choice wiring={wiring} options={said.kinds} field={form.register("kind")} />}
        </Field>
        <Buttons onClose={onClose} action={said.make} isBusy={make.isPending} />
      </form>
    </Dialog>
  );
}

export function RotateKeyDialog({ projectId, entry, onClose, onMade }: Props & { entry: ProjectKey }) {
  const rotate = useRotateKey(projectId);
  const [overlap, setOverlap] = useState("86400");
  return (
    <Dialog open onClose={onClose} title={said.rotateTitle(entry.name)} description={said.rotateText}>
      <form
        className="mt-4 flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          rotate.mutate({ id: entry.id, overlap_seconds: Number(overlap) }, { onSuccess: onMade });
        }}
      >
        <FormError error={rotate.error} />
        <Field label={said.overlap}>
          {(wiring) => (
            <NativeSelect {...wiring} value={overlap} onChange={(event) => setOverlap(event.target.value)}>
              {Object.entries(said.overlaps).map(([seconds, text]) => (
                <option key={seconds} value={seconds}>
                  {text}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Buttons onClose={onClose} action={said.rotateAction} isBusy={rotate.isPending} />
      </form>
    </Dialog>
  );
}

function Buttons({ onClose, action, isBusy }: { onClose: () => void; action: string; isBusy: boolean }) {
  return (
    <div className="flex justify-end gap-2">
      <Button onClick={onClose}>{t.actions.cancel}</Button>
      <Button type="submit" variant="primary" busy={isBusy}>
        {action}
      </Button>
    </div>
  );
}

/** The new key in clear; of a secret key the only time. */
export function ShownKeyDialog({ made, onClose }: { made: ProjectKey; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={said.shown.title} description={said.shown[made.kind]}>
      <CodeBlock code={made.key ?? ""} label={said.shown.label} className="mt-4" />
      <div className="mt-4 flex justify-end">
        <Button variant="primary" onClick={onClose}>
          {said.shown.done}
        </Button>
      </div>
    </Dialog>
  );
}
