import type { Project, ProjectStatus, TrackingCode } from "@/api/types";
import { useProjectId } from "@/app/route-ids";
import { projectQuery, statusQuery, trackingCodeQuery } from "@/features/projects/queries";
import { eventNamesQuery } from "@/features/report/queries";
import { useSection } from "@/features/projects/settings/use-section";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { CopyButton } from "@/ui/copy-button";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { panelOf, Tabs } from "@/ui/tabs";
import { WithCode } from "@/ui/with-code";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useWatch } from "react-hook-form";
import { useSearchParams } from "react-router";
import { CodeBlock } from "./code-block";
import { diagnosisQuery } from "./queries";
import { SecretCard } from "./secret-card";
import { hasOptions, snippetOf, tabOf, TABS, trackerOptions, type Tracker } from "./snippets";
import { StatusCard } from "./status-card";
import { StepList, type Step } from "./step-list";
import { SuggestionCard } from "./suggestion-card";
import { trackerDraft, trackerOf } from "./tracker-draft";
import { TrackerForm } from "./tracker-form";
import { WhyCard } from "./why-card";
import { words } from "./words";

const EXAMPLE = `// ${t.setup.custom.comment}
iafa.track("add_to_cart", { product: "Tea", price: 12.5 });

// ${t.setup.custom.identify}
iafa.identify("user-42");`;

/** `?tab=npm` chooses the snippet, `?options=open` shows the tracker's options. */
export default function SetupPage() {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  const code = useQuery(trackingCodeQuery(projectId));
  const status = useQuery(statusQuery(projectId));
  // On a phone they stand above the snippets: all at once, so that nothing jumps. A fault of theirs stops nothing.
  const isWaiting = status.data?.events_total === 0;
  const diagnosis = useQuery({ ...diagnosisQuery(projectId, isWaiting), enabled: status.data !== undefined });
  const names = useQuery({ ...eventNamesQuery(projectId, ""), enabled: status.data !== undefined && !isWaiting });
  const isWhole = !diagnosis.isPending && (isWaiting || !names.isPending);
  const [hasShown, setShown] = useState(false);
  const error = project.error ?? code.error ?? status.error;
  if (project.data && code.data && status.data && (hasShown || isWhole)) {
    if (!hasShown) setShown(true);
    return <Setup key={projectId} project={project.data} code={code.data} status={status.data} />;
  }
  if (error) return <Failure error={error} onRetry={() => void Promise.all([project.refetch(), code.refetch(), status.refetch()])} />;
  return (
    <>
      <PageHead title={t.setup.title} />
      <SecretCard projectId={projectId} />
      <Columns left={<CodeSkeleton />} right={<Skeleton className="h-40 rounded-xl" />} />
    </>
  );
}

interface Props {
  project: Project;
  code: TrackingCode;
  status: ProjectStatus;
}

function Setup({ project, code, status }: Props) {
  const isWaiting = status.events_total === 0;
  const [hasWaited, setWaited] = useState(isWaiting);
  const [isCopied, setCopied] = useState(false);
  const diagnosis = useQuery(diagnosisQuery(project.id, isWaiting)).data;
  if (isWaiting && !hasWaited) setWaited(true);
  const section = useSection({
    project,
    valuesOf: trackerDraft,
    bodyOf: (draft) => ({ tracker: trackerOf(draft) }),
    fieldOf: (pointer) => pointer.replace(/^\/(body\/)?tracker\//, "").split("/").join("."),
  });
  const draft = { ...trackerDraft(project), ...useWatch({ control: section.form.control }) };
  // The tracker's file or a request was asked for: the snippet is in a page, whoever put it there.
  const isPlaced = isCopied || Boolean(diagnosis?.last_tracker_fetch_at ?? diagnosis?.last_request_at);
  const step: Step | "done" = !isWaiting ? "done" : isPlaced ? "event" : "snippet";
  return (
    <>
      {hasWaited && <StepList current={step} />}
      <PageHead title={t.setup.title} />
      <SecretCard projectId={project.id} />
      <Columns
        left={
          <>
            <InstallCard code={code} tracker={trackerOf(draft)} onCopied={() => setCopied(true)} />
            <Options>
              <TrackerForm section={section} />
            </Options>
            <Card>
              <CardHead title={t.setup.custom.title} description={t.setup.custom.text} />
              <div className="p-5">
                <CodeBlock code={EXAMPLE} label={t.setup.custom.label} />
              </div>
            </Card>
          </>
        }
        right={
          <>
            <StatusCard projectId={project.id} status={status} timeZone={project.timezone} apiKey={code.api_key} />
            <WhyCard projectId={project.id} timeZone={project.timezone} createdAt={project.created_at} isWaiting={isWaiting} />
          </>
        }
        {...(!isWaiting && { last: <SuggestionCard projectId={project.id} /> })}
      />
    </>
  );
}

/** `last` comes late: on a phone it stands at the end, where it moves nothing. */
function Columns({ left, right, last }: { left: ReactNode; right: ReactNode; last?: ReactNode }) {
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem] lg:grid-rows-[auto_1fr]">
      <div className="order-2 flex min-w-0 flex-col gap-5 lg:order-none lg:row-span-2">{left}</div>
      <div className={cn("order-1 flex min-w-0 flex-col gap-5 lg:order-none", !last && "lg:sticky lg:top-7 lg:row-span-2")}>{right}</div>
      {last && <div className="order-3 min-w-0 lg:order-none lg:col-start-2">{last}</div>}
    </div>
  );
}

function InstallCard({ code, tracker, onCopied }: { code: TrackingCode; tracker: Tracker; onCopied: () => void }) {
  const [search, setSearch] = useSearchParams();
  const tab = tabOf(search.get("tab"));
  const said = words.install;
  const choose = (next: string): void => {
    const other = new URLSearchParams(search);
    other.set("tab", next);
    setSearch(other, { replace: true, preventScrollReset: true });
  };
  const note = tab === "html" && hasOptions(tracker) ? words.notes.htmlOptions : words.notes[tab];
  const isWrittenOut = (tab === "npm" || tab === "react") && Object.keys(trackerOptions(tracker)).length > 0;
  return (
    <Card className="min-w-0">
      <CardHead title={said.title} description={said.text} className="pb-2" />
      <Tabs label={said.label} value={tab} tabs={TABS.map((value) => ({ value, label: words.tabs[value] }))} onChange={choose} />
      <div {...panelOf(said.label, tab)} className="p-5">
        <p className="mb-3 max-w-[70ch] text-sm text-ink-soft">
          <WithCode text={note} /> {isWrittenOut && words.packageOptions}
        </p>
        <CodeBlock code={snippetOf(tab, code, tracker)} label={tab === "html" ? t.setup.snippet.label : words.tabs[tab]} copyLabel={said.copy} onCopied={onCopied} />
        <div className="mt-4 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm">
          <span className="font-medium">{t.setup.key}</span>
          <code className="rounded-md bg-sunken px-2 py-1 font-mono text-xs break-all">{code.api_key}</code>
          <CopyButton text={code.api_key} variant="ghost" />
          <p className="basis-full text-ink-faint">{t.setup.keyHint}</p>
        </div>
      </div>
    </Card>
  );
}

function Options({ children }: { children: ReactNode }) {
  const [search, setSearch] = useSearchParams();
  const isOpen = search.get("options") === "open";
  if (isOpen) return <>{children}</>;
  const show = (): void => {
    const next = new URLSearchParams(search);
    next.set("options", "open");
    setSearch(next, { preventScrollReset: true });
  };
  return (
    <Card>
      <CardHead title={words.tracker.title} description={words.tracker.lead} className="pb-5">
        <Button onClick={show}>{words.tracker.open}</Button>
      </CardHead>
    </Card>
  );
}

function CodeSkeleton() {
  return (
    <Card className="p-5" aria-busy="true">
      <Skeleton className="h-5 w-56" />
      <Skeleton className="mt-2 h-4 w-full max-w-md" />
      <Skeleton className="mt-5 h-36 w-full rounded-lg" />
    </Card>
  );
}
