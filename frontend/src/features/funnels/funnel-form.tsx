import type { Funnel } from "@/api/types";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { zodResolver } from "@hookform/resolvers/zod";
import { useEffect } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { Link, useBlocker } from "react-router";
import { definitionFrom, draftPath } from "./definition-math";
import { draftSchema, type Draft } from "./draft";
import { FunnelFilters } from "./funnel-filters";
import { FunnelOptions } from "./funnel-options";
import { PreviewCard } from "./preview-card";
import { useSaveFunnel } from "./queries";
import { StageList } from "./stage-list";
import { WindowField } from "./window-field";

interface Props {
  projectId: string;
  funnelId: string | null;
  timeZone: string;
  initial: Draft;
  backTo: string;
  onSaved: (funnel: Funnel) => void;
}

/** The builder: what is asked on the left, the answer so far on the right. */
export function FunnelForm({ projectId, funnelId, timeZone, initial, backTo, onSaved }: Props) {
  const form = useForm<Draft>({ resolver: zodResolver(draftSchema), defaultValues: initial });
  const save = useSaveFunnel(projectId, funnelId);
  const { errors, isDirty } = form.formState;
  const saved = save.data;
  const blocker = useBlocker(isDirty && !saved);
  useEffect(() => {
    if (saved) onSaved(saved);
    // Once per saved funnel, after the guard against leaving has let go.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [saved]);
  const submit = form.handleSubmit((draft) => {
    save.mutate(definitionFrom(draft), {
      onError: (error) => showFieldErrors(error, form.setError, draftPath),
    });
  });
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void submit(event)} className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_21rem]">
        <div className="flex min-w-0 flex-col gap-5">
          <FormError error={save.error} />
          <Card className="grid gap-5 p-5 sm:grid-cols-2">
            <Field label={t.builder.name} error={errors.name?.message}>
              {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" autoFocus={funnelId === null} placeholder={t.builder.namePlaceholder} {...form.register("name")} />}
            </Field>
            <WindowField />
            <Field
              label={t.builder.description}
              className="sm:col-span-2"
              aside={<span className="text-sm text-ink-faint">{t.account.optional}</span>}
              error={errors.description?.message}
            >
              {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" placeholder={t.builder.descriptionPlaceholder} {...form.register("description")} />}
            </Field>
          </Card>
          <section aria-label={t.builder.stages}>
            <h2 className="font-semibold tracking-[-0.006em]">{t.builder.stages}</h2>
            <p className="mb-3 text-sm text-ink-soft">{t.builder.stagesHint}</p>
            <StageList projectId={projectId} timeZone={timeZone} />
          </section>
          <FunnelFilters projectId={projectId} />
          <FunnelOptions projectId={projectId} />
        </div>
        <div className="flex flex-col gap-4 lg:sticky lg:top-7">
          {/* Above the preview: its height changes with what is counted, and nothing below it may move. */}
          <div className="flex gap-2">
            <Button asChild className="flex-1">
              <Link to={backTo}>{t.actions.cancel}</Link>
            </Button>
            <Button type="submit" variant="primary" busy={save.isPending} className="flex-1">
              {funnelId === null ? t.builder.create : t.builder.save}
            </Button>
          </div>
          <PreviewCard projectId={projectId} timeZone={timeZone} />
        </div>
      </form>
      <ConfirmDialog
        open={blocker.state === "blocked"}
        onClose={() => blocker.reset?.()}
        onConfirm={() => blocker.proceed?.()}
        title={t.builder.leaveTitle}
        description={t.builder.leaveText}
        confirm={t.builder.leaveAction}
        busy={false}
      />
    </FormProvider>
  );
}
