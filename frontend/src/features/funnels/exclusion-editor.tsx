import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { NativeSelect } from "@/ui/input";
import { Segmented } from "@/ui/segmented";
import { X } from "lucide-react";
import { useFormContext, useWatch } from "react-hook-form";
import { stageTitle, type Draft } from "./draft";
import { MatcherFields } from "./matcher-fields";
import { w } from "./words";

const KINDS = [
  { value: "event", label: t.builder.kind.event },
  { value: "page", label: t.builder.kind.page },
] as const;

/** An event that must not come between two stages. */
export function ExclusionEditor({ projectId, index, onRemove }: { projectId: string; index: number; onRemove: () => void }) {
  const { register, setValue, clearErrors, formState } = useFormContext<Draft>();
  const name = `exclusions.${index}` as const;
  const kind = useWatch<Draft, `exclusions.${number}.kind`>({ name: `${name}.kind` });
  const stages = useWatch<Draft, "stages">({ name: "stages" });
  const fault = formState.errors.exclusions?.[index];
  const words = w.builder.exclusion;
  const nameOf = (at: number): string => {
    const stage = stages[at];
    return `${at + 1}. ${(stage && stageTitle(stage)) || t.builder.unnamed}`;
  };
  return (
    <div role="group" aria-label={words.label(index + 1)} className="rounded-lg border border-line p-3">
      <div className="mb-2 flex items-center gap-2">
        <Segmented
          label={words.kind(index + 1)}
          value={kind}
          options={KINDS}
          onChange={(next) => {
            setValue(`${name}.kind`, next, { shouldDirty: true });
            clearErrors(name);
          }}
        />
        <Button variant="ghost" size="icon" aria-label={words.remove(index + 1)} onClick={onRemove} className="ml-auto text-ink-faint">
          <X aria-hidden className="size-4" />
        </Button>
      </div>
      <MatcherFields projectId={projectId} name={name} labels={{ event: words.event(index + 1), page: words.page(index + 1) }} />
      <div className="mt-3 flex flex-wrap items-center gap-2 text-sm text-ink-soft">
        <span>{words.after}</span>
        <NativeSelect aria-label={words.from(index + 1)} className="w-auto max-w-56" {...register(`${name}.from`)}>
          {stages.slice(0, -1).map((_stage, at) => (
            <option key={at} value={String(at + 1)}>
              {nameOf(at)}
            </option>
          ))}
        </NativeSelect>
        <span>{words.before}</span>
        <NativeSelect aria-label={words.to(index + 1)} className="w-auto max-w-56" {...register(`${name}.to`)}>
          {stages.slice(1, -1).map((_stage, at) => (
            <option key={at} value={String(at + 2)}>
              {nameOf(at + 1)}
            </option>
          ))}
          <option value="">{words.last}</option>
        </NativeSelect>
      </div>
      {(fault?.to ?? fault?.from) && (
        <p role="alert" className="mt-1.5 text-sm text-danger">
          {fault?.to?.message ?? fault?.from?.message}
        </p>
      )}
    </div>
  );
}
