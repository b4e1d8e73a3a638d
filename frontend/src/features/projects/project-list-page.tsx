import type { Project } from "@/api/types";
import { paths } from "@/app/paths";
import { useMay } from "@/features/account/use-role";
import { ago, count, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { FolderPlus, Globe, Plus } from "lucide-react";
import { Link } from "react-router";
import { projectsQuery, statusQuery } from "./queries";

export default function ProjectListPage() {
  const projects = useQuery(projectsQuery);
  const mayMake = useMay("admin");
  return (
    <>
      <PageHead title={t.projects.title} lead={t.projects.lead}>
        {mayMake && (
          <Button asChild variant="primary">
            <Link to={paths.newProject}>
              <Plus aria-hidden className="size-4" />
              {t.projects.create}
            </Link>
          </Button>
        )}
      </PageHead>
      {projects.data ? (
        <ProjectCards projects={projects.data} mayMake={mayMake} />
      ) : projects.isError ? (
        <Failure error={projects.error} onRetry={() => void projects.refetch()} />
      ) : (
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3" aria-busy="true">
          {[1, 2, 3].map((one) => (
            <Skeleton key={one} className="h-33 rounded-xl" />
          ))}
        </div>
      )}
    </>
  );
}

function ProjectCards({ projects, mayMake }: { projects: readonly Project[]; mayMake: boolean }) {
  const empty = mayMake ? t.projects.empty : t.projects.none;
  if (projects.length === 0) {
    return (
      <Card>
        <EmptyState
          title={empty.title}
          description={empty.text}
          picture={<FolderPlus aria-hidden className="mb-4 size-8 text-ink-faint" strokeWidth={1.5} />}
        >
          {mayMake && (
            <Button asChild variant="primary">
              <Link to={paths.newProject}>{t.projects.empty.action}</Link>
            </Button>
          )}
        </EmptyState>
      </Card>
    );
  }
  return (
    <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
      {projects.map((project) => (
        <ProjectCard key={project.id} project={project} />
      ))}
    </ul>
  );
}

function ProjectCard({ project }: { project: Project }) {
  const status = useQuery({ ...statusQuery(project.id), refetchInterval: false }).data;
  const to = status?.events_total === 0 ? paths.setup(project.id) : paths.overview(project.id);
  return (
    <li className="relative flex min-h-33 flex-col rounded-xl border border-line bg-surface p-5 shadow-card transition-colors duration-150 focus-within:border-ring hover:border-line-strong">
      <h2 className="text-lg font-semibold tracking-[-0.01em]">
        <Link to={to} dir="auto" className="stranger line-clamp-2 outline-none after:absolute after:inset-0 after:rounded-xl focus-visible:after:outline-2 focus-visible:after:outline-ring">
          {project.name}
        </Link>
      </h2>
      <p className="mt-0.5 flex items-center gap-1.5 text-sm text-ink-faint">
        <Globe aria-hidden className="size-3.5 shrink-0" />
        <span className="stranger line-clamp-1">{project.domain || project.timezone}</span>
      </p>
      <p className="figures mt-auto pt-4 text-sm text-ink-soft">
        {!status ? (
          <Skeleton className="h-5 w-36" />
        ) : status.events_total === 0 ? (
          <span className="inline-flex items-center gap-2">
            <span aria-hidden className="size-2 rounded-full bg-pulse" />
            {t.projects.noEvents}
          </span>
        ) : (
          <span className="inline-flex items-center gap-2" title={status.last_event_at ? moment(status.last_event_at, project.timezone) : undefined}>
            <span aria-hidden className="size-2 rounded-full bg-positive" />
            {t.projects.events(count(status.events_total))}
            {status.last_event_at && <span className="text-ink-faint">{t.projects.lastEvent(ago(status.last_event_at, new Date()))}</span>}
          </span>
        )}
      </p>
    </li>
  );
}
