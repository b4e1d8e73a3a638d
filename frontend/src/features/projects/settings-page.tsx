import type { Project } from "@/api/types";
import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { cn } from "@/lib/class-names";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Scroller } from "@/ui/scroller";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link, useSearchParams } from "react-router";
import { projectQuery } from "./queries";
import { DangerSection } from "./settings/danger-section";
import { KeysSection } from "./settings/keys-section";
import { GeneralSection, LimitsSection, OriginsSection, PrivacySection, RetentionSection } from "./settings/plain-sections";
import { SamplingSection } from "./settings/sampling-section";
import { SchemasSection } from "./settings/schemas-section";
import { SECTIONS, sectionOf, type Section } from "./settings/settings-math";
import { words } from "./words";

/** `?section=keys`: every section has its own address. */
export default function SettingsPage() {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  const section = sectionOf(useSearchParams()[0].get("section"));
  if (project.isError && !project.data) return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  return (
    <>
      <PageHead title={words.title} />
      <div className="grid items-start gap-x-8 gap-y-5 lg:grid-cols-[12rem_minmax(0,44rem)]">
        <SectionNav projectId={projectId} current={section} />
        {project.data ? <Shown key={`${projectId} ${section}`} section={section} project={project.data} /> : <Skeleton className="h-110 rounded-xl" />}
      </div>
    </>
  );
}

function SectionNav({ projectId, current }: { projectId: string; current: Section }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a phone the list is wider than the window: the chosen one must be seen.
    const chosen = list.current?.querySelector<HTMLElement>("[aria-current]");
    if (list.current?.parentElement && chosen) list.current.parentElement.scrollLeft = chosen.offsetLeft - 48;
  }, [current]);
  return (
    <nav aria-label={words.sectionsLabel} className="min-w-0 lg:sticky lg:top-7">
      <Scroller inside="pb-1 lg:overflow-visible">
        <ul ref={list} className="relative flex w-max gap-1 lg:w-auto lg:flex-col lg:gap-0.5">
          {SECTIONS.map((section) => (
            <li key={section} className="shrink-0">
              <Link
                to={`${paths.settings(projectId)}?section=${section}`}
                aria-current={section === current ? "page" : undefined}
                className={cn(
                  "block rounded-lg px-3 py-1.5 text-sm whitespace-nowrap transition-colors duration-150",
                  section === current ? "bg-accent-wash font-medium text-accent-ink" : "text-ink-soft hover:bg-hover hover:text-ink",
                )}
              >
                {words.sections[section]}
              </Link>
            </li>
          ))}
        </ul>
      </Scroller>
    </nav>
  );
}

function Shown({ section, project }: { section: Section; project: Project }) {
  if (section === "keys") return <KeysSection projectId={project.id} timeZone={project.timezone} />;
  if (section === "danger") return <DangerSection project={project} />;
  const Chosen = {
    general: GeneralSection,
    origins: OriginsSection,
    limits: LimitsSection,
    sampling: SamplingSection,
    privacy: PrivacySection,
    retention: RetentionSection,
    schemas: SchemasSection,
  }[section];
  return <Chosen project={project} />;
}
