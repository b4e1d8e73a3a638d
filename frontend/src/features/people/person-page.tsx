import { asProblem } from "@/api/problem";
import { saveFile } from "@/api/files";
import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { projectQuery } from "@/features/projects/queries";
import { useReportFrame } from "@/features/report/use-report-frame";
import { count, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Metric } from "@/ui/metric";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { Download, Radio, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { EraseDialog } from "./erase-dialog";
import { ErasureList } from "./erasure-list";
import { JourneyCard } from "./journey-card";
import { Ago, ProfileCards } from "./profile-cards";
import { erasuresQuery, exportPersonPath, profileQuery, type Profile } from "./queries";
import { personWords as words } from "./words";

/** Whoever the address names: what is known of them, what they did, and the way to export or erase it. */
export default function PersonPage() {
  const projectId = useProjectId();
  const [search] = useSearchParams();
  const id = search.get("id") ?? "";
  const project = useQuery(projectQuery(projectId));
  const profile = useQuery(profileQuery(projectId, id));
  const title = id === "" ? words.noId.title : id;
  const head = (children?: ReactNode) => (
    <PageHead title={title.slice(0, 300)} parent={{ to: paths.people(projectId), label: words.parent }}>
      {children}
    </PageHead>
  );
  if (id === "") return <>{head()}<Nobody projectId={projectId} {...words.noId} /></>;
  if (project.isError && !project.data) return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  if (profile.isError && project.data) {
    return (
      <>
        {head()}
        <NotShown key={id} projectId={projectId} id={id} timeZone={project.data.timezone} error={profile.error} onRetry={() => void profile.refetch()} />
      </>
    );
  }
  if (!profile.data || !project.data) {
    return (
      <>
        {head()}
        <div aria-busy="true" aria-label={t.states.loading} className="grid gap-4">
          <Skeleton className="h-28 rounded-xl" />
          <Skeleton className="h-100 rounded-xl" />
        </div>
      </>
    );
  }
  return <Shown key={id} projectId={projectId} id={id} timeZone={project.data.timezone} profile={profile.data} head={head} />;
}

interface ShownProps {
  projectId: string;
  id: string;
  timeZone: string;
  profile: Profile;
  head: (children?: ReactNode) => ReactNode;
}

function Shown({ projectId, id, timeZone, profile, head }: ShownProps) {
  const frame = useReportFrame(projectId, timeZone);
  const [isErasing, setErasing] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const toast = useToast();
  const save = async (): Promise<void> => {
    setSaving(true);
    try {
      await saveFile(exportPersonPath(projectId, id), "person.ndjson");
      toast({ text: words.actions.exported });
    } catch (error) {
      toast({ tone: "danger", text: error instanceof Error ? error.message : t.problems.failed });
    } finally {
      setSaving(false);
    }
  };
  const metrics = words.metrics;
  const sessions = profile.sessions.length;
  const live = new URLSearchParams({ person: id });
  return (
    <>
      {head(
        <>
          <Button asChild>
            <Link to={`${paths.live(projectId)}?${live.toString()}`}>
              <Radio aria-hidden className="size-4 text-ink-faint" />
              {words.journey.live}
            </Link>
          </Button>
          <Button busy={isSaving} onClick={() => void save()}>
            <Download aria-hidden className="size-4 text-ink-faint" />
            {words.actions.export}
          </Button>
          <Button variant="danger" onClick={() => setErasing(true)}>
            <Trash2 aria-hidden className="size-4" />
            {words.actions.delete}
          </Button>
        </>,
      )}
      <div className="mb-4 grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Metric label={metrics.events} value={count(profile.events)}>
          <span dir="auto" className="block truncate" title={profile.last_event}>
            {metrics.lastEvent(profile.last_event)}
          </span>
        </Metric>
        <Metric label={metrics.sessions} value={sessions >= 50 ? `${count(sessions)}+` : count(sessions)} />
        <Moment label={metrics.first} iso={profile.first_seen} timeZone={timeZone} />
        <Moment label={metrics.last} iso={profile.last_seen} timeZone={timeZone} />
      </div>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <JourneyCard frame={frame} id={id} />
        <ProfileCards projectId={projectId} profile={profile} timeZone={timeZone} />
      </div>
      {isErasing && <EraseDialog projectId={projectId} id={id} onClose={() => setErasing(false)} />}
    </>
  );
}

function Moment({ label, iso, timeZone }: { label: string; iso: string; timeZone: string }) {
  return (
    <section aria-label={label} className="flex min-w-0 flex-col rounded-xl border border-line bg-surface px-4 pt-3.5 pb-3 shadow-card sm:px-5 sm:pt-4">
      <h2 className="text-sm font-medium text-ink-soft">{label}</h2>
      <p className="figures mt-1 text-lg font-semibold tracking-[-0.02em]">
        <Ago iso={iso} timeZone={timeZone} />
      </p>
      <p className="figures mt-auto pt-1.5 text-sm text-ink-faint">{moment(iso, timeZone)}</p>
    </section>
  );
}

function Nobody({ projectId, title, text, list }: { projectId: string; title: string; text: string; list: string }) {
  return (
    <Card>
      <EmptyState title={title} description={text}>
        <Button asChild variant="primary">
          <Link to={paths.people(projectId)}>{list}</Link>
        </Button>
      </EmptyState>
    </Card>
  );
}

interface NotShownProps {
  projectId: string;
  id: string;
  timeZone: string;
  error: unknown;
  onRetry: () => void;
}

/** Nobody is known by this id: never was, was erased, or it is a device of several people. */
function NotShown({ projectId, id, timeZone, error, onRetry }: NotShownProps) {
  const { status } = asProblem(error);
  const erasures = useQuery({ ...erasuresQuery(projectId, id), enabled: status === 404 });
  if (status === 409) {
    const device = new URLSearchParams({ range: "all", filters: JSON.stringify([{ property: "column:anonymous_id", op: "eq", value: id }]) });
    return (
      <Card>
        <EmptyState title={words.shared.title} description={words.shared.text}>
          <Button asChild>
            <Link to={`${paths.events(projectId)}?${device.toString()}`}>{words.shared.events}</Link>
          </Button>
        </EmptyState>
      </Card>
    );
  }
  if (status !== 404) return <Failure error={error} onRetry={onRetry} />;
  if (erasures.isPending) return <Skeleton className="h-60 rounded-xl" />;
  const known = erasures.data ?? [];
  // Somebody who may not ask for erasures is told what everybody is told.
  if (known.length === 0) return <Nobody projectId={projectId} {...words.unknown} />;
  return (
    <Card className="p-5">
      <h2 className="text-lg font-semibold">{words.erased.title}</h2>
      <p className="mt-1 mb-4 max-w-[75ch] text-base text-ink-soft">
        {known.some((one) => one.status !== "done") ? `${words.erased.text} ${words.erasing}` : words.erased.text}
      </p>
      <ErasureList erasures={known} timeZone={timeZone} />
    </Card>
  );
}
