import type { Project } from "@/api/types";
import { EventNameInput } from "@/features/report/event-field";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { Plus, X } from "lucide-react";
import { Controller, useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { words } from "../words";
import { Choice } from "./plain-sections";
import { SectionCard } from "./section-card";
import { newRule, rateOf, ruleDraft, ruleOf, ruleSentence, secondsOf, type RuleDraft } from "./settings-math";
import { useSection } from "./use-section";

interface Values {
  sampling: RuleDraft[];
}

const RULES_MAX = 100;
const said = words.sampling;
const valuesOf = (project: Project): Values => ({ sampling: project.sampling.map(ruleDraft) });
const fieldOf = (pointer: string): string =>
  pointer.replace(/^\/(body\/)?/, "").replace(/\/rate$/, "/percent").replace(/\/window_seconds$/, "/window").split("/").join(".");

export function SamplingSection({ project }: { project: Project }) {
  const section = useSection<Values>({ project, valuesOf, bodyOf: (values) => ({ sampling: values.sampling.map(ruleOf) }), fieldOf });
  const rows = useFieldArray({ control: section.form.control, name: "sampling" });
  return (
    <SectionCard title={words.sections.sampling} lead={said.lead} section={section}>
      {rows.fields.length === 0 ? (
        <p className="text-sm text-ink-soft">{said.none}</p>
      ) : (
        <ol className="flex flex-col gap-3">
          {rows.fields.map((row, index) => (
            <Rule key={row.id} projectId={project.id} index={index} onRemove={() => rows.remove(index)} />
          ))}
        </ol>
      )}
      <Button className="self-start" disabled={rows.fields.length >= RULES_MAX} onClick={() => rows.append(newRule())}>
        <Plus aria-hidden className="size-4" />
        {said.add}
      </Button>
    </SectionCard>
  );
}

function Rule({ projectId, index, onRemove }: { projectId: string; index: number; onRemove: () => void }) {
  const { register, formState, control } = useFormContext<Values>();
  const draft = useWatch({ control, name: `sampling.${index}` });
  const errors = formState.errors.sampling?.[index];
  return (
    <li className="rounded-lg border border-line p-4" aria-label={said.rule(index + 1)}>
      <div className="mb-3 flex items-start justify-between gap-3">
        <p dir="auto" className="stranger text-sm font-medium">
          {ruleSentence(draft)}
        </p>
        <Button variant="ghost" size="icon-sm" aria-label={said.remove(index + 1)} onClick={onRemove}>
          <X aria-hidden className="size-4" />
        </Button>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={said.rate} error={errors?.percent?.message}>
          {(wiring) => (
            <Input
              {...wiring}
              inputMode="decimal"
              autoComplete="off"
              className="figures"
              {...register(`sampling.${index}.percent`, { validate: (text) => rateOf(text) !== undefined || said.rateInvalid })}
            />
          )}
        </Field>
        <Field label={said.by} hint={said.byText[draft.by]}>
          {(wiring) => <Choice wiring={wiring} options={said.bys} field={register(`sampling.${index}.by`)} />}
        </Field>
        <Controller
          control={control}
          name={`sampling.${index}.event_type`}
          render={({ field, fieldState }) => (
            <Field label={said.event} error={fieldState.error?.message}>
              {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={field.value} onChange={field.onChange} onBlur={field.onBlur} placeholder={said.any} />}
            </Field>
          )}
        />
        <Field label={said.source} error={errors?.source?.message}>
          {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" placeholder={said.any} {...register(`sampling.${index}.source`)} />}
        </Field>
        {draft.by === "window" && (
          <Field label={said.window} error={errors?.window?.message}>
            {(wiring) => (
              <Input
                {...wiring}
                inputMode="decimal"
                autoComplete="off"
                className="figures"
                {...register(`sampling.${index}.window`, { validate: (text) => secondsOf(text, 60, 604_800) !== undefined || said.windowInvalid })}
              />
            )}
          </Field>
        )}
      </div>
    </li>
  );
}
