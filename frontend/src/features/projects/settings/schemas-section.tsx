import type { Project } from "@/api/types";
import { paths } from "@/app/paths";
import { EventNameInput } from "@/features/report/event-field";
import { cn } from "@/lib/class-names";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { inputLook } from "@/ui/input";
import { Plus, X } from "lucide-react";
import { Controller, useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { Link } from "react-router";
import { words } from "../words";
import { SectionCard } from "./section-card";
import { newSchema, schemaDraft, schemaFault, schemaOf, type SchemaDraft } from "./settings-math";
import { useSection } from "./use-section";

interface Values {
  schemas: SchemaDraft[];
}

const SCHEMAS_MAX = 100;
const said = words.schemas;
const valuesOf = (project: Project): Values => ({ schemas: project.schemas.map(schemaDraft) });
/** A fault inside a schema belongs to its text as a whole. */
const fieldOf = (pointer: string): string =>
  pointer.replace(/^\/(body\/)?/, "").replace(/(\/schema)\/.*$/, "$1").split("/").join(".");

export function SchemasSection({ project }: { project: Project }) {
  const section = useSection<Values>({ project, valuesOf, bodyOf: (values) => ({ schemas: values.schemas.map(schemaOf) }), fieldOf });
  const rows = useFieldArray({ control: section.form.control, name: "schemas" });
  return (
    <SectionCard
      title={words.sections.schemas}
      lead={said.lead}
      section={section}
      foot={
        <Link to={`${paths.quality(project.id)}?tab=refused&reason=schema_mismatch`} className="text-accent-ink hover:underline">
          {said.quarantine}
        </Link>
      }
    >
      {rows.fields.length === 0 ? (
        <p className="text-sm text-ink-soft">{said.none}</p>
      ) : (
        <ul className="flex flex-col gap-3">
          {rows.fields.map((row, index) => (
            <SchemaRow key={row.id} projectId={project.id} index={index} onRemove={() => rows.remove(index)} />
          ))}
        </ul>
      )}
      <Button className="self-start" disabled={rows.fields.length >= SCHEMAS_MAX} onClick={() => rows.append(newSchema())}>
        <Plus aria-hidden className="size-4" />
        {said.add}
      </Button>
    </SectionCard>
  );
}

function SchemaRow({ projectId, index, onRemove }: { projectId: string; index: number; onRemove: () => void }) {
  const { register, formState, control } = useFormContext<Values>();
  const name = useWatch({ control, name: `schemas.${index}.event_type` });
  const errors = formState.errors.schemas?.[index];
  return (
    <li className="flex flex-col gap-3 rounded-lg border border-line p-4">
      <div className="flex items-end gap-3">
        <Controller
          control={control}
          name={`schemas.${index}.event_type`}
          rules={{ validate: (text) => text.trim() !== "" || said.invalidEvent }}
          render={({ field, fieldState }) => (
            <Field label={said.event} error={fieldState.error?.message} className="min-w-0 flex-1">
              {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={field.value} onChange={field.onChange} onBlur={field.onBlur} />}
            </Field>
          )}
        />
        <Button variant="ghost" size="icon" aria-label={said.remove(name.trim() || said.unnamed)} onClick={onRemove}>
          <X aria-hidden className="size-4" />
        </Button>
      </div>
      <Field label={said.schema} hint={said.hint} error={errors?.schema?.message}>
        {(wiring) => (
          <textarea
            {...wiring}
            rows={8}
            spellCheck={false}
            className={cn(inputLook, "h-auto py-2 font-mono text-xs leading-relaxed")}
            {...register(`schemas.${index}.schema`, { validate: (text) => schemaFault(text) ?? true })}
          />
        )}
      </Field>
    </li>
  );
}
