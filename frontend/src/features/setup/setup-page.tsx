import type { TrackingCode } from "@/api/types";
import { useProjectId } from "@/app/route-ids";
import { projectQuery, statusQuery, trackingCodeQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Card, CardHead } from "@/ui/card";
import { CopyButton } from "@/ui/copy-button";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Segmented } from "@/ui/segmented";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { CodeBlock } from "./code-block";
import { SecretCard } from "./secret-card";
import { StatusCard } from "./status-card";
import { StepList } from "./step-list";

const EXAMPLE = `// ${t.setup.custom.comment}
iafa.track("add_to_cart", { product: "Tea", price: 12.5 });

// ${t.setup.custom.identify}
iafa.identify("user-42");`;

export default function SetupPage() {
  const projectId = useProjectId();
  const project = useQuery(projectQuery(projectId));
  const code = useQuery(trackingCodeQuery(projectId));
  const status = useQuery(statusQuery(projectId));
  const [isCopied, setCopied] = useState(false);
  const error = project.error ?? code.error ?? status.error;
  if (error && !(code.data && status.data)) {
    return <Failure error={error} onRetry={() => void Promise.all([project.refetch(), code.refetch(), status.refetch()])} />;
  }
  const isWaiting = status.data?.events_total === 0;
  return (
    <>
      {isWaiting && <StepList current={isCopied ? "event" : "snippet"} />}
      <PageHead title={t.setup.title} />
      <SecretCard projectId={projectId} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="order-2 flex flex-col gap-5 lg:order-1">
          {code.data ? <CodeCards code={code.data} onCopied={() => setCopied(true)} /> : <CodeSkeleton />}
        </div>
        <div className="order-1 lg:sticky lg:top-7 lg:order-2">
          {status.data ? (
            <StatusCard projectId={projectId} status={status.data} timeZone={project.data?.timezone ?? "UTC"} />
          ) : (
            <Skeleton className="h-26 rounded-xl" />
          )}
        </div>
      </div>
    </>
  );
}

function CodeCards({ code, onCopied }: { code: TrackingCode; onCopied: () => void }) {
  return (
    <>
      <Card>
        <CardHead title={t.setup.snippet.title} description={t.setup.snippet.text} />
        <div className="p-5">
          <CodeBlock code={code.html} label={t.setup.snippet.label} copyLabel={t.setup.snippet.copy} onCopied={onCopied} />
          <div className="mt-4 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm">
            <span className="font-medium">{t.setup.key}</span>
            <code className="rounded-md bg-sunken px-2 py-1 font-mono text-xs break-all">{code.api_key}</code>
            <CopyButton text={code.api_key} variant="ghost" />
            <p className="basis-full text-ink-faint">{t.setup.keyHint}</p>
          </div>
        </div>
      </Card>
      <Card>
        <CardHead title={t.setup.custom.title} description={t.setup.custom.text} />
        <div className="p-5">
          <CodeBlock code={EXAMPLE} label={t.setup.custom.label} />
        </div>
      </Card>
      <ServerCard code={code} />
    </>
  );
}

function ServerCard({ code }: { code: TrackingCode }) {
  const [search, setSearch] = useSearchParams();
  const asked = search.get("code");
  const language = asked === "python" || asked === "node" ? asked : "curl";
  const words = t.setup.tabs;
  return (
    <Card>
      <CardHead title={t.setup.server.title} description={t.setup.server.text}>
        <Segmented
          label={words.label}
          value={language}
          options={[
            { value: "curl", label: words.curl },
            { value: "python", label: words.python },
            { value: "node", label: words.node },
          ]}
          onChange={(value) => setSearch(value === "curl" ? {} : { code: value }, { replace: true, preventScrollReset: true })}
        />
      </CardHead>
      <div className="p-5">
        <CodeBlock code={code.snippets[language]} label={t.setup.server.label} />
      </div>
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
