import { allZones } from "@/lib/dates";
import { t } from "@/lib/strings";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useFormContext } from "react-hook-form";
import { z } from "zod";

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/i;

export const projectSchema = z.object({
  name: z.string().trim().min(1, t.projects.form.invalid.name).max(200, t.projects.form.invalid.long),
  domain: z
    .string()
    .trim()
    .refine((value) => value === "" || HOST.test(value), t.projects.form.invalid.domain),
  timezone: z.string(),
});

export type ProjectDraft = z.infer<typeof projectSchema>;

/** Stands inside a `FormProvider` whose values have these fields. */
export function ProjectFields({ autoFocus = false }: { autoFocus?: boolean }) {
  const form = useFormContext<ProjectDraft>();
  const { errors } = form.formState;
  const words = t.projects.form;
  const zones = allZones();
  const current = form.getValues("timezone");
  return (
    <>
      <Field label={words.name} error={errors.name?.message}>
        {(wiring) => (
          <Input {...wiring} autoComplete="off" autoFocus={autoFocus} placeholder={words.namePlaceholder} {...form.register("name")} />
        )}
      </Field>
      <Field
        label={words.domain}
        hint={words.domainHint}
        error={errors.domain?.message}
        aside={<span className="text-sm text-ink-faint">{t.account.optional}</span>}
      >
        {(wiring) => (
          <Input
            {...wiring}
            inputMode="url"
            autoCapitalize="off"
            autoComplete="off"
            placeholder={words.domainPlaceholder}
            {...form.register("domain")}
          />
        )}
      </Field>
      <Field label={words.timezone} hint={words.timezoneHint} error={errors.timezone?.message}>
        {(wiring) => (
          <NativeSelect {...wiring} {...form.register("timezone")}>
            {(zones.includes(current) ? zones : [current, ...zones]).map((zone) => (
              <option key={zone} value={zone}>
                {zone.replaceAll("_", " ")}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    </>
  );
}
