import { paths } from "@/app/paths";
import { useFunnelId, useProjectId } from "@/app/route-ids";
import { projectQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { draftFrom } from "./definition-math";
import { FunnelForm } from "./funnel-form";
import { funnelQuery } from "./queries";

export default function EditFunnelPage() {
  const projectId = useProjectId();
  const funnelId = useFunnelId();
  const project = useQuery(projectQuery(projectId));
  const funnel = useQuery(funnelQuery(funnelId));
  const navigate = useNavigate();
  const toast = useToast();
  const error = project.error ?? funnel.error;
  if (error) return <Failure error={error} onRetry={() => void Promise.all([project.refetch(), funnel.refetch()])} />;
  if (!project.data || !funnel.data) return <Skeleton className="h-96 rounded-xl" />;
  const backTo = paths.funnel(projectId, funnelId);
  return (
    <>
      <PageHead title={t.builder.editTitle(funnel.data.name)} parent={{ to: paths.funnels(projectId), label: t.funnels.title }} />
      <FunnelForm
        key={funnelId}
        projectId={projectId}
        funnelId={funnelId}
        timeZone={project.data.timezone}
        initial={draftFrom(funnel.data)}
        backTo={backTo}
        onSaved={() => {
          toast({ text: t.builder.saved });
          void navigate(backTo);
        }}
      />
    </>
  );
}
