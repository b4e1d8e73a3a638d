import type { Alert } from "@/api/types";
import { funnelsQuery } from "@/features/funnels/queries";
import { EventNameInput } from "@/features/report/event-field";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { Segmented } from "@/ui/segmented";
import { Sheet } from "@/ui/sheet";
import { t } from "@/lib/strings";
import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Controller, FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { choiceOf, draftOf, draftSchema, KINDS, newDraft, type Draft, type Kind } from "./alert-draft";
import { useSaveAlert } from "./queries";
import { words } from "./words";

interface Props {
  projectId: string;
  /** The alert to change; null makes one. */
  alert: Alert | null;
  kind: Kind;
  onClose: () => void;
  /** The secret of an alert that has got a webhook; else null. */
  onSaved: (secret: string | null) => void;
}

/** One rule in a sheet: the kind decides which fields there are. */
export function AlertForm({ projectId, alert, kind, onClose, onSaved }: Props) {
  const save = useSaveAlert(projectId);
  const form = useForm<Draft>({ resolver: zodResolver(draftSchema), defaultValues: alert ? draftOf(alert) : newDraft(kind) });
  // A dialog that opens puts the focus on its first button, which closes it.
  useEffect(() => {
    if (alert === null) form.setFocus("name");
  }, [alert, form]);
  const submit = form.handleSubmit((draft) =>
    save.mutate(
      { id: alert?.id ?? null, body: choiceOf(draft, alert?.is_paused ?? false) },
      {
        onSuccess: (saved) => onSaved(saved.secret),
        onError: (error) => {
          for (const one of asProblem(error).errors) if (one.pointer?.endsWith("webhook_url")) form.setError("webhook", { message: words.form.invalid.refused(one.message) }, { shouldFocus: true });
        },
      },
    ),
  );
  const isShownInField = Object.keys(form.formState.errors).length > 0;
  return (
    <Sheet
      open
      onClose={onClose}
      title={alert ? words.edit(alert.name) : words.create}
      foot={
        <>
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button variant="primary" busy={save.isPending} onClick={() => void submit()}>
            {words.form.save}
          </Button>
        </>
      }
    >
      <FormProvider {...form}>
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          {!isShownInField && <FormError error={save.error} />}
          <Text name="name" label={words.form.name} placeholder={words.form.namePlaceholder} />
          <KindField />
          <RuleFields projectId={projectId} />
          <Text name="webhook" label={words.form.webhook} hint={words.form.webhookHint} placeholder="https://" />
          <Choice name="interval" label={words.form.interval} options={words.form.intervals} />
          <button type="submit" className="hidden" />
        </form>
      </FormProvider>
    </Sheet>
  );
}

function KindField() {
  const { setValue } = useFormContext<Draft>();
  const kind = useWatch<Draft, "kind">({ name: "kind" });
  const choose = (next: Kind): void => {
    setValue("kind", next);
    setValue("window", newDraft(next).window);
  };
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">{words.form.kind}</legend>
      <div className="grid grid-cols-2 gap-2">
        {KINDS.map((one) => (
          <label
            key={one}
            className="flex cursor-pointer flex-col rounded-lg border border-line p-3 has-checked:border-accent has-checked:bg-accent-wash has-focus-visible:outline-2 has-focus-visible:outline-ring"
          >
            <input type="radio" className="sr-only" name="kind" checked={kind === one} onChange={() => choose(one)} />
            <span className="text-sm font-medium">{words.kinds[one].label}</span>
            <span className="mt-0.5 text-xs text-ink-soft">{words.kinds[one].text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function RuleFields({ projectId }: { projectId: string }) {
  const [kind, what] = useWatch<Draft, ["kind", "what"]>({ name: ["kind", "what"] });
  if (kind === "threshold") {
    return (
      <>
        <EventInput projectId={projectId} hint={words.form.eventHint} />
        <div className="grid grid-cols-3 gap-3">
          <Choice name="measure" label={words.form.measure} options={words.form.measures} />
          <Choice name="comparison" label={words.form.comparison} options={words.form.comparisons} />
          <Text name="value" label={words.form.value} isNumber />
        </div>
        <Window kind={kind} />
      </>
    );
  }
  if (kind === "silence") {
    return (
      <>
        <Controller<Draft, "what">
          name="what"
          render={({ field }) => (
            <div className="flex flex-col gap-1.5">
              <span aria-hidden className="text-sm font-medium text-ink">
                {words.form.what}
              </span>
              <Segmented
                label={words.form.what}
                value={field.value}
                options={[
                  { value: "event", label: words.form.whatEvent },
                  { value: "funnel", label: words.form.whatFunnel },
                ]}
                onChange={field.onChange}
                className="self-start"
              />
            </div>
          )}
        />
        {what === "funnel" ? <FunnelChoice projectId={projectId} /> : <EventInput projectId={projectId} />}
        <Window kind={kind} />
      </>
    );
  }
  if (kind === "conversion") {
    return (
      <>
        <FunnelChoice projectId={projectId} />
        <div className="grid grid-cols-2 gap-3">
          <Text name="below" label={words.form.below} isNumber />
          <Text name="peopleMin" label={words.form.peopleMin} hint={words.form.peopleHint} isNumber />
        </div>
        <Window kind={kind} />
      </>
    );
  }
  return (
    <>
      <EventInput projectId={projectId} hint={words.form.eventAnomaly} />
      <div className="grid grid-cols-3 gap-3">
        <Choice name="measure" label={words.form.measure} options={words.form.measures} />
        <Choice name="sensitivity" label={words.form.sensitivity} options={words.form.sensitivities} />
        <Choice name="direction" label={words.form.direction} options={words.form.directions} />
      </div>
    </>
  );
}

function Window({ kind }: { kind: Exclude<Kind, "anomaly"> }) {
  return <Choice name="window" label={words.form.windowOf[kind]} options={words.form.windows} />;
}

function EventInput({ projectId, hint }: { projectId: string; hint?: string }) {
  return (
    <Controller<Draft, "event">
      name="event"
      render={({ field, fieldState }) => (
        <Field label={words.form.event} hint={hint} error={fieldState.error?.message}>
          {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={field.value} onChange={field.onChange} onBlur={field.onBlur} />}
        </Field>
      )}
    />
  );
}

function FunnelChoice({ projectId }: { projectId: string }) {
  const { register, formState } = useFormContext<Draft>();
  const funnels = useQuery(funnelsQuery(projectId)).data ?? [];
  return (
    <Field label={words.form.funnel} error={formState.errors.funnel?.message}>
      {(wiring) => (
        // The list may come after the value: the key lets the field show it then.
        <NativeSelect key={funnels.length} {...wiring} {...register("funnel")}>
          <option value="">{words.form.chooseFunnel}</option>
          {funnels.map((funnel) => (
            <option key={funnel.id} value={funnel.id}>
              {funnel.name}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}

interface TextProps {
  name: "name" | "value" | "below" | "peopleMin" | "webhook";
  label: string;
  hint?: string;
  placeholder?: string;
  isNumber?: boolean;
}

function Text({ name, label, hint, placeholder, isNumber = false }: TextProps) {
  const { register, formState } = useFormContext<Draft>();
  return (
    <Field label={label} hint={hint} error={formState.errors[name]?.message}>
      {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" inputMode={isNumber ? "decimal" : undefined} placeholder={placeholder} {...register(name)} />}
    </Field>
  );
}

interface ChoiceProps {
  name: "measure" | "comparison" | "window" | "sensitivity" | "direction" | "interval";
  label: string;
  options: Readonly<Record<string, string>>;
}

function Choice({ name, label, options }: ChoiceProps) {
  const { register } = useFormContext<Draft>();
  const value = useWatch<Draft, typeof name>({ name });
  // A window or interval set over the API may be none of ours; it stays as it is.
  const all = value in options ? options : { ...options, [value]: t.range.presets.custom };
  return (
    <Field label={label}>
      {(wiring) => (
        <NativeSelect {...wiring} {...register(name)}>
          {Object.entries(all).map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}
