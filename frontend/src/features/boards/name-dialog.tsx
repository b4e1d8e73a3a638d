import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { useState } from "react";
import { words } from "./words";

interface Props {
  title: string;
  submit: string;
  name?: string;
  onClose: () => void;
  onSave: (name: string) => Promise<void>;
}

export function NameDialog({ title, submit, name: first = "", onClose, onSave }: Props) {
  const [name, setName] = useState(first);
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const save = async (): Promise<void> => {
    setTried(true);
    if (name.trim() === "") return;
    setBusy(true);
    try {
      await onSave(name.trim());
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title={title}>
      <form
        className="mt-4 flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <FormError error={error} />
        <Field label={words.name} error={isTried && name.trim() === "" ? words.nameNeeded : undefined}>
          {(wiring) => <Input {...wiring} dir="auto" maxLength={200} autoFocus placeholder={words.namePlaceholder} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button type="submit" variant="primary" busy={isBusy}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
