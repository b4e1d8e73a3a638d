import type { Alert } from "@/api/types";
import { useProjectId } from "@/app/route-ids";
import { funnelsQuery } from "@/features/funnels/queries";
import { projectQuery } from "@/features/projects/queries";
import { CodeBlock } from "@/features/setup/code-block";
import { useUndoableDelete } from "@/lib/use-undoable-delete";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { EmptyState } from "@/ui/empty-state";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { KINDS } from "./alert-draft";
import { AlertForm } from "./alert-form";
import { AlertRow } from "./alert-row";
import { alertsQuery, deleteAlert } from "./queries";
import { words } from "./words";

/** `?new=<kind>` and `?edit=<id>` open the form, so that other pages can lead to it. */
export default function AlertsPage() {
  const projectId = useProjectId();
  const [search, setSearch] = useSearchParams();
  const alerts = useQuery(alertsQuery(projectId));
  const funnels = useQuery(funnelsQuery(projectId)).data ?? [];
  const timeZone = useQuery(projectQuery(projectId)).data?.timezone ?? "UTC";
  const client = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const { hidden, drop } = useUndoableDelete({
    said: words.removed,
    remove: (id) => deleteAlert(projectId, id),
    onRemoved: () => void client.invalidateQueries({ queryKey: ["alerts", projectId] }),
  });
  const shown = (alerts.data ?? []).filter((alert) => !hidden.has(alert.id));
  const edited = shown.find((alert) => alert.id === search.get("edit")) ?? null;
  const kind = KINDS.find((one) => one === search.get("new"));
  const isOpen = edited !== null || search.has("new");
  const close = (): void => setSearch({}, { preventScrollReset: true });
  const nameOf = (id: string): string | undefined => funnels.find((funnel) => funnel.id === id)?.name;
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button variant="primary" onClick={() => setSearch({ new: "threshold" })}>
          <Plus aria-hidden className="size-4" />
          {words.create}
        </Button>
      </PageHead>
      {alerts.isError && !alerts.data ? (
        <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />
      ) : !alerts.data ? (
        <Skeleton className="h-40 rounded-xl" />
      ) : shown.length === 0 ? (
        <Card>
          <EmptyState className="py-16" title={words.empty.title} description={words.empty.text}>
            <Button variant="primary" onClick={() => setSearch({ new: "silence" })}>
              {words.create}
            </Button>
          </EmptyState>
        </Card>
      ) : (
        <ul className="flex flex-col gap-3">
          {sorted(shown).map((alert) => (
            <AlertRow key={alert.id} alert={alert} funnelName={nameOf} timeZone={timeZone} onEdit={() => setSearch({ edit: alert.id })} onDelete={() => drop(alert.id)} />
          ))}
        </ul>
      )}
      {isOpen && (
        <AlertForm
          key={edited?.id ?? kind ?? "new"}
          projectId={projectId}
          alert={edited}
          kind={kind ?? "threshold"}
          onClose={close}
          onSaved={(made) => {
            close();
            setSecret(made);
          }}
        />
      )}
      <Dialog open={secret !== null} onClose={() => setSecret(null)} title={words.secret.title} description={words.secret.text}>
        <CodeBlock code={secret ?? ""} label={words.secret.title} className="mt-4" />
        <div className="mt-4 flex justify-end">
          <Button variant="primary" onClick={() => setSecret(null)}>
            {words.secret.done}
          </Button>
        </div>
      </Dialog>
    </>
  );
}

const ORDER = ["firing", "error", "unknown", "ok"];
/** A paused rule needs nobody, whatever was found before. */
const placeOf = (alert: Alert): number => (alert.is_paused ? ORDER.length : ORDER.indexOf(alert.status));

/** What needs somebody first, then by name. */
function sorted(alerts: readonly Alert[]): Alert[] {
  return [...alerts].sort((one, two) => placeOf(one) - placeOf(two) || one.name.localeCompare(two.name));
}
