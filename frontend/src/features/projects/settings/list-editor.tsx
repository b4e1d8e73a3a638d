import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { CircleAlert, X } from "lucide-react";
import { useController, useFormContext } from "react-hook-form";
import { words } from "../words";
import { TYPED } from "./typed-list";

interface Props {
  name: string;
  label: string;
  hint: string;
  placeholder: string;
  none: string;
  onAdd: () => void;
  /** What an empty list may begin with, and the button for it. */
  offer?: { value: string; text: string } | null;
}

/** A list of short texts: each in a row of its own, one field to add more, which the section takes when it is saved. */
export function ListEditor({ name, label, hint, placeholder, none, onAdd, offer }: Props) {
  const { field, fieldState } = useController({ name });
  const typed = useController({ name: TYPED });
  const { clearErrors } = useFormContext();
  const values = field.value as string[];
  // A fault of one entry stands under its index, one of the whole list at the top.
  const faults = fieldState.error as ({ message?: string } & Partial<Record<number, { message?: string }>>) | undefined;
  return (
    <div>
      {values.length === 0 ? (
        <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
          <p className="text-sm text-ink-soft">{none}</p>
          {offer && (
            <Button size="sm" onClick={() => field.onChange([offer.value])} className="max-w-full min-w-0">
              <span className="truncate">{offer.text}</span>
            </Button>
          )}
        </div>
      ) : (
        <ul className="mb-3 divide-y divide-line rounded-lg border border-line" aria-label={label}>
          {values.map((value, index) => (
            <li key={value} className="flex flex-wrap items-center gap-x-3 py-1 pr-1 pl-3">
              <code dir="auto" className="stranger min-w-0 flex-1 font-mono text-sm">
                {value}
              </code>
              <Button variant="ghost" size="icon-sm" aria-label={words.list.remove(value)} onClick={() => field.onChange(values.filter((one) => one !== value))}>
                <X aria-hidden className="size-4" />
              </Button>
              {faults?.[index]?.message && (
                <p role="alert" className="flex basis-full items-start gap-1.5 pb-1 text-sm text-danger">
                  <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
                  {faults[index].message}
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
      <div className="flex items-start gap-2">
        <Field label={label} hint={hint} error={typed.fieldState.error?.message ?? faults?.message} className="min-w-0 flex-1">
          {(wiring) => (
            <Input
              {...wiring}
              {...typed.field}
              onChange={(event) => {
                typed.field.onChange(event);
                clearErrors(TYPED);
              }}
              dir="auto"
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              placeholder={placeholder}
              onKeyDown={(event) => {
                if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
                event.preventDefault();
                onAdd();
              }}
            />
          )}
        </Field>
        <Button className="mt-6.5" onClick={onAdd}>
          {words.list.add}
        </Button>
      </div>
    </div>
  );
}
