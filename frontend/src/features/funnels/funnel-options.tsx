import { PropertyInput } from "@/features/report/property-fields";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { ChevronDown, Plus, X } from "lucide-react";
import { useId, useState, type ReactNode } from "react";
import { useController, useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { cn } from "@/lib/class-names";
import { changedOptions, emptyExclusion, EXCLUSIONS_MAX, HOLD_MAX, type Draft } from "./draft";
import { ExclusionEditor } from "./exclusion-editor";
import { OptionCheck, OptionChoice } from "./option-fields";
import { w } from "./words";

const HIDDEN = ["strictScope", "firstRequired", "range", "entry", "count", "tie", "grace", "unit", "sessions", "hold", "exclusions", "exclusionMode", "matureOnly"] as const;

/** Everything the engine can do beyond stages in order. Closed, it says in words what differs from a plain funnel. */
export function FunnelOptions({ projectId }: { projectId: string }) {
  const { formState } = useFormContext<Draft>();
  const draft = useWatch<Draft>() as Draft;
  const changed = changedOptions(draft);
  const hasFault = HIDDEN.some((name) => formState.errors[name]);
  const [isWanted, setWanted] = useState(false);
  const isOpen = isWanted || hasFault;
  const panelId = useId();
  return (
    <Card>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={panelId}
        onClick={() => setWanted(!isOpen)}
        className="flex w-full items-center gap-3 rounded-xl px-5 py-3.5 text-left hover:bg-hover"
      >
        <span className="shrink-0 font-semibold tracking-[-0.006em]">{w.builder.options}</span>{" "}
        <span dir="auto" className="stranger line-clamp-1 min-w-0 flex-1 text-sm text-ink-faint">
          {changed.length > 0 ? changed.join(", ") : w.builder.optionsNone}
        </span>
        <ChevronDown aria-hidden className={cn("size-4 shrink-0 text-ink-faint transition-transform duration-150", isOpen && "rotate-180")} />
      </button>
      {isOpen && (
        <div id={panelId} className="animate-fade divide-y divide-line border-t border-line">
          <OrderOptions />
          <ExclusionOptions projectId={projectId} />
          <PeopleOptions projectId={projectId} />
          <EventOptions />
        </div>
      )}
    </Card>
  );
}

function Group({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="px-5 py-4">
      <h3 className="text-sm font-semibold">{title}</h3>
      <p className="text-sm text-ink-faint">{text}</p>
      <div className="mt-3 grid gap-4 sm:grid-cols-2">{children}</div>
    </section>
  );
}

function OrderOptions() {
  const { register, formState } = useFormContext<Draft>();
  const order = useWatch<Draft, "order">({ name: "order" });
  const tie = useWatch<Draft, "tie">({ name: "tie" });
  const words = w.builder;
  return (
    <Group title={words.groups.order} text={words.groups.orderText}>
      <OptionChoice name="order" words={words.order} />
      {order === "strict" && <OptionChoice name="strictScope" words={words.strictScope} />}
      {order === "unordered" && <OptionCheck name="firstRequired" label={words.firstRequired} text={words.firstRequiredText} className="sm:pt-7" />}
      <OptionChoice name="entry" words={words.entry} />
      <OptionChoice name="range" words={words.range} />
      {order !== "unordered" && (
        <OptionChoice name="tie" words={words.tie}>
          {tie === "grace" && (
            <Input aria-label={words.grace} inputMode="numeric" autoComplete="off" className="figures w-20 shrink-0" aria-invalid={formState.errors.grace ? true : undefined} {...register("grace")} />
          )}
        </OptionChoice>
      )}
      {formState.errors.grace && (
        <p role="alert" className="text-sm text-danger sm:col-start-2">
          {formState.errors.grace.message}
        </p>
      )}
    </Group>
  );
}

function ExclusionOptions({ projectId }: { projectId: string }) {
  const { fields, append, remove } = useFieldArray<Draft, "exclusions">({ name: "exclusions" });
  const words = w.builder;
  return (
    <Group title={words.groups.exclusions} text={words.groups.exclusionsText}>
      <div className="flex flex-col gap-3 sm:col-span-2">
        {fields.map((field, index) => (
          <ExclusionEditor key={field.id} projectId={projectId} index={index} onRemove={() => remove(index)} />
        ))}
        <Button size="sm" className="self-start" disabled={fields.length >= EXCLUSIONS_MAX} onClick={() => append(emptyExclusion())}>
          <Plus aria-hidden className="size-3.5" />
          {words.addExclusion}
        </Button>
      </div>
      {fields.length > 0 && <OptionChoice name="exclusionMode" words={words.exclusionMode} />}
    </Group>
  );
}

function PeopleOptions({ projectId }: { projectId: string }) {
  const unit = useWatch<Draft, "unit">({ name: "unit" });
  const hold = useFieldArray<Draft, "hold">({ name: "hold" });
  const words = w.builder;
  return (
    <Group title={words.groups.people} text={words.groups.peopleText}>
      <OptionChoice name="unit" words={words.unit} />
      {unit === "session" && <OptionChoice name="sessions" words={words.sessions} />}
      <OptionChoice name="count" words={words.count} />
      <div className="sm:col-span-2">
        <p className="text-sm font-medium">{words.hold}</p>
        <p className="text-sm text-ink-faint">{words.holdText}</p>
        <div className="mt-2 flex flex-col gap-2">
          {hold.fields.map((field, index) => (
            <HoldField key={field.id} projectId={projectId} index={index} onRemove={() => hold.remove(index)} />
          ))}
        </div>
        {hold.fields.length < HOLD_MAX && (
          <Button size="sm" className="mt-2" onClick={() => hold.append({ name: "" })}>
            <Plus aria-hidden className="size-3.5" />
            {words.addHold}
          </Button>
        )}
      </div>
    </Group>
  );
}

function HoldField({ projectId, index, onRemove }: { projectId: string; index: number; onRemove: () => void }) {
  const { field, fieldState } = useController<Draft, `hold.${number}.name`>({ name: `hold.${index}.name` });
  return (
    <div className="flex items-start gap-2 sm:max-w-96">
      <Field label={w.builder.holdProperty(index + 1)} labelHidden error={fieldState.error?.message} className="min-w-0 flex-1">
        {(wiring) => <PropertyInput projectId={projectId} wiring={wiring} value={field.value} onChange={field.onChange} onBlur={field.onBlur} />}
      </Field>
      <Button variant="ghost" size="icon" aria-label={w.builder.removeHold(index + 1)} onClick={onRemove} className="mt-0.5 text-ink-faint">
        <X aria-hidden className="size-4" />
      </Button>
    </div>
  );
}

function EventOptions() {
  const words = w.builder;
  return (
    <Group title={words.groups.events} text={words.groups.eventsText}>
      <OptionCheck name="excludeBots" label={words.bots} text={words.botsText} />
      <OptionCheck name="matureOnly" label={words.mature} text={words.matureText} />
    </Group>
  );
}
