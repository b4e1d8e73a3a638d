import { Choice } from "@/features/projects/settings/plain-sections";
import { SectionCard } from "@/features/projects/settings/section-card";
import { rateOf } from "@/features/projects/settings/settings-math";
import type { SectionForm } from "@/features/projects/settings/use-section";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { useId } from "react";
import { useFormContext } from "react-hook-form";
import { FLAGS, type TrackerDraft } from "./tracker-draft";
import { words } from "./words";

const said = words.tracker;

/** The tracker's options; the page shows the snippets of what is chosen here, saved or not. */
export function TrackerForm({ section }: { section: SectionForm<TrackerDraft> }) {
  const { register } = section.form;
  return (
    <SectionCard title={said.title} lead={said.lead} section={section}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={said.build} hint={said.buildHint}>
          {(wiring) => <Choice wiring={wiring} options={said.builds} field={register("build")} />}
        </Field>
        <Field label={said.consent} hint={said.consentHint}>
          {(wiring) => <Choice wiring={wiring} options={said.consents} field={register("consent")} />}
        </Field>
      </div>
      <ul className="grid gap-3 sm:grid-cols-2">
        {FLAGS.map((flag) => (
          <Flag key={flag} flag={flag} />
        ))}
      </ul>
      <div className="grid gap-4 sm:grid-cols-2">
        <Text name="sample" label={said.sample} check={(text) => !!rateOf(text) || said.sampleInvalid} />
        <Field label={said.exit}>{(wiring) => <Choice wiring={wiring} options={said.exits} field={register("exit")} />}</Field>
        <Text name="domains" label={said.domains} hint={said.domainsHint} />
        <Text name="exclude" label={said.exclude} hint={said.excludeHint} />
        <Text name="tag" label={said.tag} hint={said.tagHint} />
      </div>
    </SectionCard>
  );
}

function Flag({ flag }: { flag: (typeof FLAGS)[number] }) {
  const { register } = useFormContext<TrackerDraft>();
  const id = useId();
  const { label, hint } = said.flags[flag];
  return (
    <li className="flex items-start gap-2.5">
      <input id={id} type="checkbox" className="mt-0.5 size-4 shrink-0 accent-accent" aria-describedby={hint ? `${id}-hint` : undefined} {...register(flag)} />
      <div className="text-sm">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-ink-faint">
            {hint}
          </p>
        )}
      </div>
    </li>
  );
}

interface TextProps {
  name: "sample" | "domains" | "exclude" | "tag";
  label: string;
  hint?: string;
  check?: (text: string) => true | string;
}

function Text({ name, label, hint, check }: TextProps) {
  const { register, formState } = useFormContext<TrackerDraft>();
  // A list's faults come with the number of the entry; the field is one text.
  const fault = formState.errors[name] as { message?: string } | { message?: string }[] | undefined;
  const message = Array.isArray(fault) ? fault.find(Boolean)?.message : fault?.message;
  return (
    <Field label={label} hint={hint} error={message}>
      {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" autoCapitalize="off" spellCheck={false} {...register(name, check ? { validate: check } : {})} />}
    </Field>
  );
}
