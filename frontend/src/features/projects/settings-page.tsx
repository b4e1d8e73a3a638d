import type { Project } from "@/api/types";
import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { CopyButton } from "@/ui/copy-button";
import { Failure, FormError } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useNavigate } from "react-router";
import { KeysCard } from "./keys-card";
import { ProjectFields, projectSchema } from "./project-fields";
import { projectQuery, useDeleteProject, useSaveProject } from "./queries";

export default function SettingsPage() {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  if (project.isError) return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  return (
    <div className="mx-auto max-w-3xl">
      <PageHead title={t.projects.settings.title} />
      {project.data ? (
        <div className="flex flex-col gap-5" key={projectId}>
          <GeneralCard project={project.data} />
          <KeysCard projectId={projectId} timeZone={project.data.timezone} />
          <DeleteCard project={project.data} />
        </div>
      ) : (
        <Skeleton className="h-90 rounded-xl" />
      )}
    </div>
  );
}

function GeneralCard({ project }: { project: Project }) {
  const save = useSaveProject(project.id);
  const toast = useToast();
  const form = useForm({
    resolver: zodResolver(projectSchema),
    values: { name: project.name, domain: project.domain ?? "", timezone: project.timezone },
    resetOptions: { keepDirtyValues: true },
  });
  const submit = form.handleSubmit((values) => {
    save.mutate(
      { ...values, domain: values.domain || null },
      {
        onSuccess: () => {
          form.reset(values);
          toast({ text: t.projects.settings.saved });
        },
        onError: (error) => showFieldErrors(error, form.setError),
      },
    );
  });
  const isShownInField = Object.keys(form.formState.errors).length > 0;
  return (
    <Card>
      <CardHead title={t.projects.settings.general} />
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-5 p-5">
        {!isShownInField && <FormError error={save.error} />}
        <ProjectFields form={form} />
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="flex min-w-0 flex-wrap items-center gap-2 text-sm text-ink-faint">
            {t.projects.settings.id}
            <code className="font-mono text-xs text-ink-soft">{project.id}</code>
            <CopyButton text={project.id} variant="ghost" />
          </p>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={!form.formState.isDirty || save.isPending}>
            {t.actions.saveChanges}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function DeleteCard({ project }: { project: Project }) {
  const [isAsking, setAsking] = useState(false);
  const remove = useDeleteProject(project.id);
  const navigate = useNavigate();
  const toast = useToast();
  const words = t.projects.settings;
  const confirm = (): void => {
    remove.mutate(undefined, {
      onSuccess: () => {
        toast({ text: words.deleted });
        void navigate(paths.projects);
      },
    });
  };
  return (
    <Card>
      <CardHead title={words.danger} description={words.dangerText} className="pb-5">
        <Button variant="danger" onClick={() => setAsking(true)}>
          {words.deleteAction}
        </Button>
      </CardHead>
      <ConfirmDialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={confirm}
        title={words.confirmTitle(project.name)}
        description={
          <div className="flex flex-col gap-3">
            <p>{words.confirmText}</p>
            <FormError error={remove.error} />
          </div>
        }
        confirm={words.deleteAction}
        busy={remove.isPending}
      />
    </Card>
  );
}
