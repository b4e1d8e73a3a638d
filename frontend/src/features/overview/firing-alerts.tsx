import { paths } from "@/app/paths";
import { alertsQuery } from "@/features/alerts/queries";
import { moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Card, CardHead } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { BellRing, CircleCheck } from "lucide-react";
import { Link } from "react-router";
import { words } from "./words";

const SHOWN = 4;

/** The rules that fire or could not be looked at; of a paused one nobody knows any more. */
export function FiringAlerts({ projectId, timeZone }: { projectId: string; timeZone: string }) {
  const alerts = useQuery(alertsQuery(projectId));
  const all = alerts.data;
  const loud = all?.filter((alert) => !alert.is_paused && (alert.status === "firing" || alert.status === "error")).slice(0, SHOWN);
  return (
    <Card className="flex min-h-54 min-w-0 flex-col" aria-label={words.alerts.title}>
      <CardHead title={words.alerts.title}>
        <Link to={paths.alerts(projectId)} className="rounded text-sm font-medium text-accent-ink hover:underline">
          {all?.length === 0 ? words.alerts.create : words.alerts.all}
        </Link>
      </CardHead>
      {loud === undefined ? (
        alerts.isError ? (
          <Failure error={alerts.error} onRetry={() => void alerts.refetch()} className="py-6" />
        ) : (
          <div className="p-5">
            <Skeleton className="h-24 rounded-lg" />
          </div>
        )
      ) : loud.length === 0 ? (
        <p className="flex flex-1 items-center justify-center gap-2 p-5 text-sm text-ink-soft">
          {all?.length ? <CircleCheck aria-hidden className="size-4 text-positive" /> : null}
          {all?.length ? words.alerts.quiet : words.alerts.none}
        </p>
      ) : (
        <ul className="flex flex-col divide-y divide-line px-5 py-2">
          {loud.map((alert) => (
            <li key={alert.id} className="flex items-start gap-3 py-2.5 text-sm">
              <Badge tone={alert.status === "firing" ? "danger" : "warning"}>
                <BellRing aria-hidden className="size-3" />
                {alert.status === "firing" ? words.alerts.firing : words.alerts.failed}
              </Badge>
              <div className="min-w-0">
                <p dir="auto" className="stranger line-clamp-1 font-medium">
                  {alert.name}
                </p>
                <p dir="auto" className="stranger line-clamp-2 text-ink-soft">
                  {alert.text}
                </p>
                {alert.changed_at && <p className="text-xs text-ink-faint">{words.alerts.since(moment(alert.changed_at, timeZone))}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
