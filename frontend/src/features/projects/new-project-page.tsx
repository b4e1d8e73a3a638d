import { paths } from "@/app/paths";
import { rememberSecret } from "@/features/setup/fresh-secret";
import { StepList } from "@/features/setup/step-list";
import { browserZone } from "@/lib/dates";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { FormError } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FormProvider, useForm } from "react-hook-form";
import { Link, useNavigate } from "react-router";
import { ProjectFields, projectSchema } from "./project-fields";
import { projectsQuery, useCreateProject } from "./queries";

export default function NewProjectPage() {
  const create = useCreateProject();
  const client = useQueryClient();
  const navigate = useNavigate();
  // Whoever makes the first project has nowhere to go back to.
  const hasOthers = (useQuery(projectsQuery).data ?? []).length > 0;
  const form = useForm({
    resolver: zodResolver(projectSchema),
    defaultValues: { name: "", domain: "", timezone: browserZone() },
  });
  const submit = form.handleSubmit((values) => {
    create.mutate(
      { ...values, domain: values.domain || null },
      {
        onSuccess: (project) => {
          rememberSecret(client, project.id, project.secret_key);
          void navigate(paths.setup(project.id));
        },
        onError: (error) => showFieldErrors(error, form.setError),
      },
    );
  });
  const isShownInField = Object.keys(form.formState.errors).length > 0;
  return (
    <div className="mx-auto max-w-xl">
      <StepList current="name" />
      <PageHead title={t.projects.form.title} lead={t.projects.form.lead} />
      <Card>
        <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-5 p-5 sm:p-6">
          {!isShownInField && <FormError error={create.error} />}
          <FormProvider {...form}>
            <ProjectFields autoFocus />
          </FormProvider>
          <div className="flex justify-end gap-2">
            {hasOthers && (
              <Button asChild>
                <Link to={paths.projects}>{t.actions.cancel}</Link>
              </Button>
            )}
            <Button type="submit" variant="primary" busy={create.isPending}>
              {t.projects.form.submit}
            </Button>
          </div>
        </form>
      </Card>
    </div>
  );
}
