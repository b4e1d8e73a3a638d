import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { X } from "lucide-react";
import { useFormContext, useWatch } from "react-hook-form";
import { OPERATORS, takesList, takesValue, type Draft } from "./definition-math";

/** The conditions of one stage; all of them must hold. */
export function FilterRows({ stage, ids, onRemove }: { stage: number; ids: readonly string[]; onRemove: (index: number) => void }) {
  return ids.map((id, index) => <FilterRow key={id} stage={stage} index={index} onRemove={() => onRemove(index)} />);
}

function FilterRow({ stage, index, onRemove }: { stage: number; index: number; onRemove: () => void }) {
  const { register, getFieldState, formState } = useFormContext<Draft>();
  const path = `stages.${stage}.filters.${index}` as const;
  const operator = useWatch<Draft, `${typeof path}.op`>({ name: `${path}.op` });
  const words = t.builder.filter;
  const errorOf = (name: "property" | "value"): string | undefined => getFieldState(`${path}.${name}`, formState).error?.message;
  return (
    <div className="mt-2 grid grid-cols-[3rem_minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[3rem_minmax(0,1fr)_9.5rem_minmax(0,1fr)_auto]">
      <span className="pt-2 text-sm text-ink-faint">{index === 0 ? words.where : words.and}</span>
      <Field label={words.property} labelHidden error={errorOf("property")}>
        {(wiring) => (
          <Input {...wiring} dir="auto" placeholder={words.property} autoCapitalize="off" autoComplete="off" spellCheck={false} {...register(`${path}.property`)} />
        )}
      </Field>
      <Button
        variant="ghost"
        size="icon"
        aria-label={words.remove}
        onClick={onRemove}
        className="mt-0.5 text-ink-faint sm:order-last"
      >
        <X aria-hidden className="size-4" />
      </Button>
      <Field label={words.operator} labelHidden className="col-start-2 sm:col-start-auto">
        {(wiring) => (
          <NativeSelect {...wiring} {...register(`${path}.op`)}>
            {OPERATORS.map((one) => (
              <option key={one} value={one}>
                {t.builder.operators[one]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      {takesValue(operator) ? (
        <Field label={words.value} labelHidden error={errorOf("value")} className="col-start-2 sm:col-start-auto">
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              placeholder={takesList(operator) ? words.listHint : words.value}
              autoComplete="off"
              spellCheck={false}
              {...register(`${path}.value`)}
            />
          )}
        </Field>
      ) : (
        <span className="hidden sm:block" />
      )}
    </div>
  );
}
