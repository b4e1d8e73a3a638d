/** The sections that are a few fields each. */
import type { Project } from "@/api/types";
import { count, moment } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { CopyButton } from "@/ui/copy-button";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useQuery } from "@tanstack/react-query";
import { useFormContext, useWatch, type FieldErrors } from "react-hook-form";
import { ProjectFields, projectSchema } from "../project-fields";
import { statusQuery } from "../queries";
import { words } from "../words";
import { ListEditor } from "./list-editor";
import { SectionCard } from "./section-card";
import { minutesOf, originOf, quotaUse, secondsOf, textOf, wholeOf } from "./settings-math";
import { withTyped } from "./typed-list";
import { useSection } from "./use-section";

const DAY_S = 86_400;
const messageOf = (errors: FieldErrors, name: string): string | undefined => errors[name]?.message as string | undefined;

const generalOf = (project: Project) => ({
  name: project.name,
  domain: project.domain ?? "",
  timezone: project.timezone,
  session_gap_seconds: minutesOf(project.session_gap_seconds),
});

export function GeneralSection({ project }: { project: Project }) {
  const section = useSection({
    project,
    valuesOf: generalOf,
    bodyOf: (values) => ({
      name: values.name.trim(),
      domain: values.domain.trim() || null,
      timezone: values.timezone,
      session_gap_seconds: secondsOf(values.session_gap_seconds, 1, DAY_S) ?? project.session_gap_seconds,
    }),
  });
  const { errors } = section.form.formState;
  const submit = (): void => {
    const { name, domain, timezone } = section.form.getValues();
    const checked = projectSchema.safeParse({ name, domain, timezone });
    section.form.clearErrors();
    for (const issue of checked.error?.issues ?? []) section.form.setError(issue.path[0] as "name" | "domain", { message: issue.message });
    if (checked.success) section.submit();
  };
  return (
    <SectionCard
      title={words.sections.general}
      lead={words.general.lead}
      section={{ ...section, submit }}
      foot={
        <p className="flex min-w-0 flex-wrap items-center gap-2">
          {words.general.id}
          <code className="font-mono text-xs text-ink-soft">{project.id}</code>
          <CopyButton text={project.id} variant="ghost" />
        </p>
      }
    >
      <ProjectFields />
      <Field label={words.general.gap} hint={words.general.gapHint} error={messageOf(errors, "session_gap_seconds")}>
        {(wiring) => (
          <span className="flex items-center gap-2">
            <Input
              {...wiring}
              className="figures w-28"
              inputMode="decimal"
              autoComplete="off"
              {...section.form.register("session_gap_seconds", { validate: (text) => secondsOf(text, 1, DAY_S) !== undefined || words.general.gapInvalid })}
            />
            <span className="text-sm text-ink-soft">{words.general.gapUnit}</span>
          </span>
        )}
      </Field>
    </SectionCard>
  );
}

const originsOf = (project: Project) => ({ allowed_origins: project.allowed_origins, typed: "" });

export function OriginsSection({ project }: { project: Project }) {
  const said = words.origins;
  const edited = useSection({ project, valuesOf: originsOf, bodyOf: ({ allowed_origins }) => ({ allowed_origins }) });
  const { section, add } = withTyped(edited, "allowed_origins", said.invalid, originOf);
  const own = project.domain ? `https://${project.domain}` : null;
  return (
    <SectionCard title={words.sections.origins} lead={said.lead} section={section}>
      <ListEditor
        name="allowed_origins"
        label={said.label}
        hint={said.hint}
        placeholder={said.placeholder}
        none={said.none}
        onAdd={add}
        offer={own ? { value: own, text: said.offer(own) } : null}
      />
    </SectionCard>
  );
}

/** A whole number, or nothing. */
function NumberField({ name, label, hint }: { name: string; label: string; hint: string }) {
  const { register, formState } = useFormContext();
  return (
    <Field label={label} hint={hint} error={messageOf(formState.errors, name)}>
      {(wiring) => (
        <Input
          {...wiring}
          className="figures max-w-52"
          inputMode="numeric"
          autoComplete="off"
          {...register(name, { validate: (text: string) => wholeOf(text) !== undefined || words.limits.invalid })}
        />
      )}
    </Field>
  );
}

const limitsOf = (project: Project) => ({
  rate_limit_per_minute: textOf(project.rate_limit_per_minute),
  rate_limit_per_ip_per_minute: textOf(project.rate_limit_per_ip_per_minute),
  monthly_quota: textOf(project.monthly_quota),
});

export function LimitsSection({ project }: { project: Project }) {
  const section = useSection({
    project,
    valuesOf: limitsOf,
    bodyOf: (values) => ({
      rate_limit_per_minute: wholeOf(values.rate_limit_per_minute) ?? null,
      rate_limit_per_ip_per_minute: wholeOf(values.rate_limit_per_ip_per_minute) ?? null,
      monthly_quota: wholeOf(values.monthly_quota) ?? null,
    }),
  });
  const said = words.limits;
  return (
    <SectionCard title={words.sections.limits} lead={said.lead} section={section}>
      <QuotaMeter project={project} />
      <NumberField name="monthly_quota" label={said.quota} hint={said.quotaHint} />
      <NumberField name="rate_limit_per_minute" label={said.perKey} hint={said.none} />
      <NumberField name="rate_limit_per_ip_per_minute" label={said.perIp} hint={said.none} />
    </SectionCard>
  );
}

function QuotaMeter({ project }: { project: Project }) {
  const status = useQuery(statusQuery(project.id)).data;
  if (!status) return <div className="h-12" aria-busy="true" />;
  const use = quotaUse(status.events_this_month, status.monthly_quota);
  const used = count(status.events_this_month);
  const said = words.limits;
  return (
    <div>
      <p className="figures flex flex-wrap justify-between gap-x-4 text-sm">
        <span className="font-medium">{status.monthly_quota === null ? said.usedFree(used) : said.used(used, count(status.monthly_quota))}</span>
        <span className="text-ink-faint">{said.ends(moment(status.month_ends_at, "UTC"))}</span>
      </p>
      {use !== null && (
        <div role="meter" aria-label={said.meter} aria-valuenow={Math.round(use)} aria-valuemin={0} aria-valuemax={100} className="mt-2 h-2 overflow-hidden rounded-full bg-sunken">
          <div className={cn("h-full rounded-full", use >= 90 ? "bg-danger" : use >= 70 ? "bg-pulse" : "bg-accent")} style={{ width: `${use}%` }} />
        </div>
      )}
    </div>
  );
}

const retentionOf = (project: Project) => ({
  retention_days: textOf(project.retention_days),
  aggregate_retention_days: textOf(project.aggregate_retention_days),
});

export function RetentionSection({ project }: { project: Project }) {
  const section = useSection({
    project,
    valuesOf: retentionOf,
    bodyOf: (values) => ({ retention_days: wholeOf(values.retention_days) ?? null, aggregate_retention_days: wholeOf(values.aggregate_retention_days) ?? null }),
  });
  const days = wholeOf(useWatch({ control: section.form.control, name: "retention_days" }));
  const isShorter = typeof days === "number" && days < (project.retention_days ?? Number.POSITIVE_INFINITY);
  const said = words.retention;
  return (
    <SectionCard title={words.sections.retention} lead={said.lead} section={section}>
      <NumberField name="retention_days" label={said.days} hint={said.hint} />
      {isShorter && (
        <p role="status" className="rounded-lg bg-warning-wash px-3 py-2 text-sm text-warning">
          {said.shorter}
        </p>
      )}
      <NumberField name="aggregate_retention_days" label={said.aggregate} hint={said.aggregateHint} />
    </SectionCard>
  );
}

const privacyOf = (project: Project) => ({
  ip: project.privacy.ip ?? "hash",
  salt: project.privacy.salt ?? "fixed",
  deny_properties: project.privacy.deny_properties ?? [],
  typed: "",
});

export function PrivacySection({ project }: { project: Project }) {
  const said = words.privacy;
  const edited = useSection({
    project,
    valuesOf: privacyOf,
    bodyOf: ({ ip, salt, deny_properties }) => ({ privacy: { ip, salt, deny_properties } }),
    fieldOf: (pointer) => pointer.replace(/^\/(body\/)?privacy\//, "").split("/").join("."),
  });
  const { section, add } = withTyped(edited, "deny_properties", "", (text) => text);
  const { register, control } = section.form;
  const ip = useWatch({ control, name: "ip" });
  return (
    <SectionCard title={words.sections.privacy} lead={said.lead} section={section}>
      <Field label={said.ip} hint={said.ipText[ip]}>
        {(wiring) => <Choice wiring={wiring} options={said.ips} field={register("ip")} />}
      </Field>
      {ip === "hash" && (
        <Field label={said.salt}>{(wiring) => <Choice wiring={wiring} options={said.salts} field={register("salt")} />}</Field>
      )}
      <ListEditor name="deny_properties" label={said.deny} hint={said.denyHint} placeholder={said.denyPlaceholder} none={said.denyNone} onAdd={add} />
    </SectionCard>
  );
}

interface ChoiceProps {
  wiring: object;
  options: Readonly<Record<string, string>>;
  field: object;
}

export function Choice({ wiring, options, field }: ChoiceProps) {
  return (
    <NativeSelect {...wiring} {...field}>
      {Object.entries(options).map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </NativeSelect>
  );
}
