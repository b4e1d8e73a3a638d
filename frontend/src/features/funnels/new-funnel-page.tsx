import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { projectQuery } from "@/features/projects/queries";
import { eventNamesQuery } from "@/features/report/queries";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { FunnelForm } from "./funnel-form";
import { suggestionsQuery, templatesQuery } from "./queries";
import { SEEN, starterDraft, startersOf } from "./starter-math";
import { w } from "./words";

export default function NewFunnelPage() {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  const templates = useQuery(templatesQuery);
  const events = useQuery(eventNamesQuery(projectId, ""));
  const suggestions = useQuery(suggestionsQuery(projectId));
  const [search] = useSearchParams();
  const [isAll, setAll] = useState(false);
  const navigate = useNavigate();
  const toast = useToast();
  const from = search.get("from");
  if (project.isError) return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  // A blank funnel waits for nothing but the project; a starter for what it is made of.
  const needsMore = from !== null && from !== SEEN && suggestions.isPending;
  const isReady = project.data && !templates.isPending && !events.isPending && !needsMore;
  const known = { templates: templates.data ?? [], events: events.data ?? [], suggestions: suggestions.data };
  const starters = startersOf(known);
  const shown = starters.filter((starter) => !starter.isFar || isAll || starter.from === from);
  return (
    <>
      <PageHead title={t.builder.newTitle} parent={{ to: paths.funnels(projectId), label: t.funnels.title }} />
      {isReady ? (
        <>
          <nav aria-label={t.builder.start} className="mb-5 flex flex-wrap items-center gap-2">
            <span className="mr-1 text-sm text-ink-faint">{t.builder.start}</span>
            {shown.map((starter) => (
              <Link
                key={starter.from ?? ""}
                to={paths.newFunnel(projectId, starter.from ?? undefined)}
                replace
                preventScrollReset
                aria-current={starter.from === from ? "true" : undefined}
                className={cn(
                  "rounded-full border px-3 py-1 text-sm transition-colors duration-150",
                  starter.from === from
                    ? "border-transparent bg-accent-wash font-medium text-accent-ink"
                    : "border-line bg-surface text-ink-soft hover:border-line-strong hover:text-ink",
                )}
              >
                <span dir="auto" className="stranger">
                  {starter.label}
                </span>
                {starter.detail && <span className="figures ml-1.5 text-xs text-ink-faint">{starter.detail}</span>}
              </Link>
            ))}
            {shown.length < starters.length && (
              <Button size="sm" variant="ghost" onClick={() => setAll(true)}>
                {w.builder.moreTemplates(starters.length - shown.length)}
              </Button>
            )}
          </nav>
          <FunnelForm
            key={from ?? ""}
            projectId={projectId}
            funnelId={null}
            timeZone={project.data.timezone}
            initial={starterDraft(from, known)}
            backTo={paths.funnels(projectId)}
            onSaved={(funnel) => {
              toast({ text: t.builder.created });
              void navigate(paths.funnel(projectId, funnel.id));
            }}
          />
        </>
      ) : (
        <BuilderSkeleton />
      )}
    </>
  );
}

function BuilderSkeleton() {
  return (
    <div aria-busy="true" className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_21rem]">
      <div className="flex flex-col gap-5">
        <Skeleton className="h-44 rounded-xl" />
        <Skeleton className="h-40 rounded-xl" />
        <Skeleton className="h-40 rounded-xl" />
      </div>
      <Skeleton className="h-60 rounded-xl" />
    </div>
  );
}
