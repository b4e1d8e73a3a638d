import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { Segmented } from "@/ui/segmented";
import { GripVertical, ListFilter, Plus, Trash2, X } from "lucide-react";
import type { ComponentProps } from "react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { emptyFilter, stageTitle, type Draft } from "./definition-math";
import { EventField } from "./event-field";
import { FilterRows } from "./filter-rows";

const KINDS = [
  { value: "event", label: t.builder.kind.event },
  { value: "page", label: t.builder.kind.page },
] as const;

interface Props {
  projectId: string;
  index: number;
  total: number;
  isDragged: boolean;
  handleProps: ComponentProps<"button">;
  onRemove: () => void;
}

export function StageEditor({ projectId, index, total, isDragged, handleProps, onRemove }: Props) {
  const { register, setValue, getFieldState, formState, clearErrors } = useFormContext<Draft>();
  const stage = useWatch<Draft, `stages.${number}`>({ name: `stages.${index}` });
  const events = useFieldArray<Draft, `stages.${number}.events`>({ name: `stages.${index}.events` });
  const filters = useFieldArray<Draft, `stages.${number}.filters`>({ name: `stages.${index}.filters` });
  const order = index + 1;
  const words = t.builder;
  return (
    <div
      className={cn(
        "rounded-xl border border-line bg-surface p-3 transition-shadow duration-150 sm:p-4",
        isDragged ? "relative z-10 border-ring shadow-pop" : "shadow-card",
      )}
    >
      <div className="flex items-center gap-2">
        <button
          type="button"
          aria-label={words.handle(order, total)}
          className="-ml-1 grid h-8 w-6 shrink-0 cursor-grab touch-none place-items-center rounded-md text-ink-faint hover:bg-hover hover:text-ink active:cursor-grabbing"
          {...handleProps}
        >
          <GripVertical aria-hidden className="size-4" />
        </button>
        <span aria-hidden className="figures grid size-6 shrink-0 place-items-center rounded-full bg-accent-wash text-xs font-semibold text-accent-ink">
          {order}
        </span>
        <Segmented
          label={words.kind.label(order)}
          value={stage.kind}
          options={KINDS}
          onChange={(kind) => {
            setValue(`stages.${index}.kind`, kind, { shouldDirty: true });
            clearErrors(`stages.${index}`);
          }}
        />
        <Button variant="ghost" size="icon" aria-label={words.remove(order)} onClick={onRemove} className="ml-auto text-ink-faint">
          <Trash2 aria-hidden className="size-4" />
        </Button>
      </div>
      <div className="mt-2.5 sm:pl-7">
        <div className="grid gap-2.5 sm:grid-cols-[minmax(0,1fr)_minmax(0,14rem)]">
          {stage.kind === "event" ? (
            <div className="flex min-w-0 flex-col gap-2">
              {events.fields.map((field, at) => (
                <div key={field.id} className="flex items-start gap-2">
                  {at > 0 && <span className="pt-2 text-sm text-ink-faint">{words.orWord}</span>}
                  <EventField projectId={projectId} name={`stages.${index}.events.${at}.name`} label={words.event(order)} className="min-w-0 flex-1" />
                  {events.fields.length > 1 && (
                    <Button variant="ghost" size="icon" aria-label={words.removeEvent} onClick={() => events.remove(at)} className="mt-0.5 text-ink-faint">
                      <X aria-hidden className="size-4" />
                    </Button>
                  )}
                </div>
              ))}
            </div>
          ) : (
            <Field label={words.page(order)} labelHidden error={getFieldState(`stages.${index}.page`, formState).error?.message}>
              {(wiring) => (
                <Input {...wiring} placeholder={words.pagePlaceholder} autoCapitalize="off" autoComplete="off" spellCheck={false} {...register(`stages.${index}.page`)} />
              )}
            </Field>
          )}
          <Field label={words.stageName(order)} labelHidden error={getFieldState(`stages.${index}.name`, formState).error?.message}>
            {(wiring) => (
              <Input
                {...wiring}
                dir="auto"
                placeholder={stageTitle({ ...stage, name: "" }) || words.stageNamePlaceholder}
                autoComplete="off"
                {...register(`stages.${index}.name`)}
              />
            )}
          </Field>
        </div>
        <FilterRows stage={index} ids={filters.fields.map((field) => field.id)} onRemove={filters.remove} />
        <div className="mt-1 -mb-1.5 flex flex-wrap gap-1">
          <Button variant="ghost" size="sm" className="-ml-2.5" onClick={() => filters.append(emptyFilter())}>
            <ListFilter aria-hidden className="size-3.5" />
            {words.addFilter}
          </Button>
          {stage.kind === "event" && (
            <Button variant="ghost" size="sm" onClick={() => events.append({ name: "" })}>
              <Plus aria-hidden className="size-3.5" />
              {words.orEvent}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}
