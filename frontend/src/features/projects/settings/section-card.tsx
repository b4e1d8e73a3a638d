import { useMay } from "@/features/account/use-role";
import { ago } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { FormError } from "@/ui/notice";
import { UsersRound } from "lucide-react";
import type { ReactNode } from "react";
import { FormProvider, type FieldValues } from "react-hook-form";
import { words } from "../words";
import type { SectionForm } from "./use-section";

interface Props<Values extends FieldValues> {
  title: string;
  lead: string;
  section: SectionForm<Values>;
  foot?: ReactNode;
  children: ReactNode;
}

/** Head, fields, the conflict told in words, and the button; read only for those who may not change settings. */
export function SectionCard<Values extends FieldValues>({ title, lead, section, foot, children }: Props<Values>) {
  const mayChange = useMay("admin");
  const { form, submit, isSaving, error, theirs } = section;
  const { isDirty, errors } = form.formState;
  const isShownInField = Object.keys(errors).length > 0;
  return (
    <Card>
      <CardHead title={title} description={lead} />
      <FormProvider {...form}>
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
          className="p-5"
        >
          <fieldset disabled={!mayChange} className="flex min-w-0 flex-col gap-5">
            {!isShownInField && <FormError error={error} />}
            {theirs && <Conflict when={ago(theirs.updated_at, new Date())} section={section} />}
            {children}
            <div className="flex flex-wrap items-center justify-between gap-3">
              <div className="min-w-0 text-sm text-ink-faint">{mayChange ? foot : words.readOnly}</div>
              {mayChange && (
                <div className="flex items-center gap-3">
                  {isDirty && !isSaving && <span className="text-sm text-ink-faint">{words.unsaved}</span>}
                  <Button type="submit" variant="primary" busy={isSaving} disabled={!isDirty || isSaving}>
                    {t.actions.saveChanges}
                  </Button>
                </div>
              )}
            </div>
          </fieldset>
        </form>
      </FormProvider>
    </Card>
  );
}

function Conflict<Values extends FieldValues>({ when, section }: { when: string; section: SectionForm<Values> }) {
  return (
    <div role="alert" className="flex gap-3 rounded-lg bg-warning-wash p-4 text-sm">
      <UsersRound aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />
      <div>
        <p className="font-medium text-warning">{words.conflict.title}</p>
        <p className="mt-0.5 text-ink-soft">{words.conflict.text(when)}</p>
        <div className="mt-3 flex flex-wrap gap-2">
          <Button size="sm" onClick={section.loadTheirs}>
            {words.conflict.theirs}
          </Button>
          <Button size="sm" variant="ghost" onClick={section.overwrite}>
            {words.conflict.mine}
          </Button>
        </div>
      </div>
    </div>
  );
}
