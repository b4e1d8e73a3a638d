import type { ProjectKey } from "@/api/types";
import { moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Badge } from "@/ui/badge";
import { Card, CardHead } from "@/ui/card";
import { CopyButton } from "@/ui/copy-button";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { keysQuery } from "./queries";

/** The keys as the service tells them: write keys in clear, of server keys only the ends. */
export function KeysCard({ projectId, timeZone }: { projectId: string; timeZone: string }) {
  const keys = useQuery(keysQuery(projectId));
  const words = t.projects.settings;
  return (
    <Card>
      <CardHead title={words.keys} description={words.keysLead} />
      <div className="px-5 pt-3 pb-4">
        {keys.isError ? (
          <Failure error={keys.error} onRetry={() => void keys.refetch()} className="py-6" />
        ) : keys.data ? (
          <ul className="divide-y divide-line">
            {keys.data.map((key) => (
              <KeyRow key={key.id} entry={key} timeZone={timeZone} />
            ))}
          </ul>
        ) : (
          <Skeleton className="h-24" />
        )}
      </div>
    </Card>
  );
}

function KeyRow({ entry, timeZone }: { entry: ProjectKey; timeZone: string }) {
  const words = t.projects.settings;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 py-3">
      <div className="min-w-40 flex-1">
        <p className="flex items-center gap-2 text-sm font-medium">
          <span dir="auto" className="stranger line-clamp-1">
            {entry.name}
          </span>
          <Badge tone={entry.kind === "write" ? "accent" : "neutral"}>{words.keyKinds[entry.kind]}</Badge>
        </p>
        <p className="figures mt-0.5 text-xs text-ink-faint">
          {t.projects.created(moment(entry.created_at, timeZone))}
          {entry.expires_at && ` · ${words.expires(moment(entry.expires_at, timeZone))}`}
        </p>
      </div>
      <code className="font-mono text-xs break-all text-ink-soft">{entry.key ?? `${entry.prefix}…${entry.last4}`}</code>
      {entry.key && <CopyButton text={entry.key} variant="ghost" />}
    </li>
  );
}
