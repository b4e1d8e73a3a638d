import { asProblem, explain } from "@/api/problem";
import type { ProjectKey } from "@/api/types";
import { useMay } from "@/features/account/use-role";
import { moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { CopyButton } from "@/ui/copy-button";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { keysQuery, useRevokeKey } from "../queries";
import { words } from "../words";
import { keyName } from "./settings-math";
import { MakeKeyDialog, RotateKeyDialog, ShownKeyDialog } from "./key-dialogs";

const said = words.keys;

interface Props {
  projectId: string;
  timeZone: string;
}

/** Write keys in clear, of secret keys only the ends. */
export function KeysSection({ projectId, timeZone }: Props) {
  const mayManage = useMay("admin");
  const [isMaking, setMaking] = useState(false);
  const [shown, setShown] = useState<ProjectKey | null>(null);
  if (!mayManage) {
    return (
      <Card>
        <CardHead title={words.sections.keys} description={said.adminsOnly} className="pb-5" />
      </Card>
    );
  }
  return (
    <Card>
      <CardHead title={words.sections.keys} description={said.lead}>
        <Button variant="primary" onClick={() => setMaking(true)}>
          <Plus aria-hidden className="size-4" />
          {said.make}
        </Button>
      </CardHead>
      <KeyList projectId={projectId} timeZone={timeZone} onMade={setShown} />
      {isMaking && (
        <MakeKeyDialog
          projectId={projectId}
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setShown(key);
          }}
        />
      )}
      {shown && <ShownKeyDialog made={shown} onClose={() => setShown(null)} />}
    </Card>
  );
}

function KeyList({ projectId, timeZone, onMade }: Props & { onMade: (key: ProjectKey) => void }) {
  const keys = useQuery(keysQuery(projectId));
  return (
    <div className="px-5 pt-3 pb-4">
      {keys.data ? (
        <ul className="divide-y divide-line">
          {keys.data.map((key) => (
            <KeyRow key={key.id} projectId={projectId} entry={key} name={keyName(key, keys.data)} timeZone={timeZone} onMade={onMade} />
          ))}
        </ul>
      ) : keys.isError ? (
        <Failure error={keys.error} onRetry={() => void keys.refetch()} className="py-6" />
      ) : (
        <Skeleton className="h-24" />
      )}
    </div>
  );
}

function KeyRow({ projectId, entry, name, timeZone, onMade }: Props & { entry: ProjectKey; name: string; onMade: (key: ProjectKey) => void }) {
  const revoke = useRevokeKey(projectId);
  const toast = useToast();
  const [asked, setAsked] = useState<"rotate" | "revoke" | null>(null);
  const confirm = (): void =>
    revoke.mutate(entry.id, {
      onSuccess: () => toast({ text: said.revoked }),
      onError: (error) => {
        const { title, advice } = explain(asProblem(error));
        toast({ tone: "danger", text: `${title} ${advice}` });
      },
      onSettled: () => setAsked(null),
    });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
      <div className="min-w-44 flex-1">
        <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
          <span dir="auto" className="stranger line-clamp-1">
            {name}
          </span>
          <Badge tone={entry.kind === "write" ? "accent" : "neutral"}>{said.kinds[entry.kind]}</Badge>
          {entry.expires_at && <Badge tone="warning">{said.ends(moment(entry.expires_at, timeZone))}</Badge>}
        </p>
        <p className="mt-1 flex flex-wrap items-center gap-x-2">
          <code className="font-mono text-xs break-all text-ink-soft">{entry.key ?? `${entry.prefix}…${entry.last4}`}</code>
          <span className="figures text-xs text-ink-faint">{said.created(moment(entry.created_at, timeZone))}</span>
          <span className="figures text-xs text-ink-faint">
            {entry.last_used_at ? said.lastUsed(moment(entry.last_used_at, timeZone)) : said.neverUsed}
          </span>
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-1">
        {entry.key && <CopyButton text={entry.key} variant="ghost" />}
        {!entry.expires_at && (
          <Button size="sm" aria-label={said.rotateOf(name)} onClick={() => setAsked("rotate")}>
            {said.rotate}
          </Button>
        )}
        <Button size="sm" variant="danger" aria-label={said.revokeOf(name)} onClick={() => setAsked("revoke")}>
          {said.revoke}
        </Button>
      </div>
      {asked === "rotate" && (
        <RotateKeyDialog
          projectId={projectId}
          entry={entry}
          onClose={() => setAsked(null)}
          onMade={(key) => {
            setAsked(null);
            onMade(key);
          }}
        />
      )}
      <ConfirmDialog
        open={asked === "revoke"}
        onClose={() => setAsked(null)}
        onConfirm={confirm}
        title={said.revokeTitle(name)}
        description={said.revokeText}
        confirm={said.revoke}
        busy={revoke.isPending}
      />
    </li>
  );
}
