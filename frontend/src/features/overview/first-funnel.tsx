import { paths } from "@/app/paths";
import { FunnelCard } from "@/features/funnels/funnel-card";
import { funnelsQuery } from "@/features/funnels/queries";
import type { DayRange } from "@/lib/dates";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { words } from "./words";

/** The project's first funnel, or the way to one. */
export function FirstFunnel({ projectId, range }: { projectId: string; range: DayRange | null }) {
  const funnels = useQuery(funnelsQuery(projectId));
  const first = funnels.data?.[0];
  if (funnels.isError && !funnels.data) return <Failure error={funnels.error} onRetry={() => void funnels.refetch()} className="rounded-xl border border-line bg-surface" />;
  if (!funnels.data) return <Skeleton className="h-54 rounded-xl" />;
  if (first) {
    return (
      <ul aria-label={words.funnel.title} className="grid">
        <FunnelCard funnel={first} range={range} />
      </ul>
    );
  }
  return (
    <Card className="flex min-h-54 flex-col items-start justify-center gap-3 p-5">
      <h2 className="font-semibold">{words.funnel.title}</h2>
      <p className="max-w-[48ch] text-sm text-ink-soft">{words.funnel.none}</p>
      <Button asChild>
        <Link to={paths.newFunnel(projectId, "seen")}>{words.funnel.create}</Link>
      </Button>
    </Card>
  );
}
