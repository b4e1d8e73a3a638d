import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { t } from "@/lib/strings";
import { useState } from "react";
import { useErase } from "./queries";
import { personWords } from "./words";

const words = personWords.erase;

interface Props {
  projectId: string;
  id: string;
  onClose: () => void;
}

/** Says what erasure does, and does it only when the id was typed. */
export function EraseDialog({ projectId, id, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const [isTried, setTried] = useState(false);
  const erase = useErase(projectId, id);
  // White space at the ends cannot be seen, so it is not asked for.
  const isRight = typed.trim() === id.trim();
  return (
    <Dialog open onClose={onClose} title={words.title} description={words.text} className="w-[min(34rem,calc(100vw-2rem))]">
      <ul className="mt-3 flex list-disc flex-col gap-1 pl-5 text-sm text-ink-soft">
        {words.points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
      <form
        className="mt-4 flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (isRight) erase.mutate(undefined, { onSuccess: onClose });
        }}
      >
        <Field
          label={
            <span dir="auto" className="stranger line-clamp-4">
              {words.type(id)}
            </span>
          }
          hint={words.hint}
          error={isTried && !isRight ? words.wrong : undefined}
        >
          {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" autoCapitalize="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
        <FormError error={erase.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button type="submit" variant="danger" busy={erase.isPending}>
            {words.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
