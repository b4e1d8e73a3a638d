import { useProjectId } from "@/app/route-ids";
import { projectQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ComparePicker } from "./compare-picker";
import { FilterBar } from "./filter-bar";
import { RangePicker } from "./range-picker";
import { useReportFrame, type ReportFrame } from "./use-report-frame";

interface Props {
  title: string;
  lead?: ReactNode;
  /** What the report is compared with unless the address says otherwise; `false`: this report compares nothing. */
  compare?: "none" | "previous" | false;
  hasRange?: boolean;
  hasFilters?: boolean;
  eventTypes?: readonly string[];
  /** More controls of the page, right of the range. */
  actions?: (frame: ReportFrame) => ReactNode;
  children: (frame: ReportFrame) => ReactNode;
}

/** A page that asks one question of a project: title, days, comparison and filters on top, the answer below. */
export function ReportPage(props: Props) {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  if (project.isError && !project.data) return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  if (!project.data) {
    return (
      <div aria-busy="true" aria-label={t.states.loading}>
        <Skeleton className="mb-6 h-9 w-64" />
        <Skeleton className="h-100 rounded-xl" />
      </div>
    );
  }
  return <Framed key={projectId} {...props} projectId={projectId} timeZone={project.data.timezone} />;
}

function Framed({ title, lead, compare = "none", hasRange = true, hasFilters = true, eventTypes = [], actions, children, projectId, timeZone }: Props & { projectId: string; timeZone: string }) {
  const frame = useReportFrame(projectId, timeZone, { compare: compare || "none" });
  return (
    <>
      <PageHead title={title} {...(lead !== undefined && { lead })}>
        {hasRange && <RangePicker choice={frame.choice} today={frame.today} timeZone={timeZone} onChange={frame.setChoice} />}
        {compare !== false && <ComparePicker choice={frame.compare} range={frame.range} preset={frame.choice.preset} today={frame.today} onChange={frame.setCompare} />}
        {actions?.(frame)}
      </PageHead>
      {hasFilters && (
        <div className="-mt-2 mb-4">
          <FilterBar projectId={projectId} conditions={frame.conditions} onChange={frame.setConditions} eventTypes={eventTypes} />
        </div>
      )}
      {children(frame)}
    </>
  );
}
