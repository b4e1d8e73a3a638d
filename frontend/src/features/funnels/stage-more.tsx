import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useFormContext, useWatch } from "react-hook-form";
import type { Draft } from "./draft";
import { OptionCheck, SpanField } from "./option-fields";
import { w } from "./words";

/** What few stages need: optional, windows of their own, how a page is compared. */
export function StageMore({ index, total }: { index: number; total: number }) {
  const { register, getFieldState, formState } = useFormContext<Draft>();
  const kind = useWatch<Draft, `stages.${number}.kind`>({ name: `stages.${index}.kind` });
  const isEnd = index === 0 || index === total - 1;
  const name = `stages.${index}` as const;
  const words = w.builder.stage;
  return (
    <div className="mt-3 grid animate-fade gap-4 border-t border-line pt-3 sm:grid-cols-2">
      <OptionCheck name={`${name}.optional`} label={words.optional} text={isEnd ? words.optionalEnd : words.optionalText} className="sm:col-span-2" />
      {index > 0 && (
        <>
          <SpanField name={`${name}.within`} label={words.within} />
          <SpanField name={`${name}.after`} label={words.after} />
        </>
      )}
      {kind === "page" && (
        <>
          <Field label={words.match} error={getFieldState(`${name}.match`, formState).error?.message}>
            {(wiring) => (
              <NativeSelect {...wiring} {...register(`${name}.match`)}>
                <option value="path">{words.path}</option>
                <option value="url">{words.url}</option>
              </NativeSelect>
            )}
          </Field>
          <Field label={words.host} error={getFieldState(`${name}.host`, formState).error?.message}>
            {(wiring) => <Input {...wiring} placeholder={words.anyHost} autoCapitalize="off" autoComplete="off" spellCheck={false} {...register(`${name}.host`)} />}
          </Field>
        </>
      )}
    </div>
  );
}
