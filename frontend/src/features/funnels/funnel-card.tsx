import type { Funnel } from "@/api/types";
import { paths } from "@/app/paths";
import { lastDays, todayIn } from "@/lib/dates";
import { compactCount, count, exactPercent, percent, span } from "@/lib/format";
import { t } from "@/lib/strings";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { MiniBars } from "./mini-bars";
import { answerQuery } from "./queries";

export function FunnelCard({ funnel, timeZone }: { funnel: Funnel; timeZone: string }) {
  const answer = useQuery(answerQuery(funnel.id, lastDays(30, todayIn(timeZone, new Date())), false));
  const stages = answer.data?.stages ?? [];
  const first = stages[0]?.users ?? 0;
  const window = typeof funnel.window_seconds !== "number" ? t.funnel.sentence.noWindow : t.funnel.sentence.within(span(funnel.window_seconds));
  return (
    <li className="group relative flex min-h-54 flex-col rounded-xl border border-line bg-surface p-5 shadow-card transition-colors duration-150 hover:border-line-strong">
      <h2 className="font-semibold tracking-[-0.006em]">
        <Link
          to={paths.funnel(funnel.project_id, funnel.id)}
          dir="auto"
          className="stranger line-clamp-1 outline-none after:absolute after:inset-0 after:rounded-xl focus-visible:after:outline-2 focus-visible:after:outline-ring"
        >
          {funnel.name}
        </Link>
      </h2>
      <p className="text-sm text-ink-faint">{`${t.funnels.stages(funnel.stages.length)}, ${window}`}</p>
      <div className="mt-4 flex flex-1 flex-col justify-end">
        {answer.isPending ? (
          <Skeleton className="h-27 rounded-lg" />
        ) : answer.isError ? (
          <p className="text-sm text-ink-faint">{t.funnels.listFailed}</p>
        ) : first === 0 ? (
          <p className="text-sm text-ink-faint">{t.funnels.noneEntered}</p>
        ) : (
          <>
            <MiniBars stages={stages} />
            <div className="mt-3 flex items-baseline justify-between gap-4">
              <p className="figures text-xl font-semibold tracking-[-0.02em]" title={exactPercent(answer.data.overall_conversion_rate)}>
                {percent(answer.data.overall_conversion_rate)}
              </p>
              <p className="figures text-sm text-ink-soft" title={`${count(first)} → ${count(stages.at(-1)?.users ?? 0)}`}>
                {`${compactCount(first)} → ${compactCount(stages.at(-1)?.users ?? 0)}`}
                <span className="text-ink-faint">{`, ${t.funnels.lastDays}`}</span>
              </p>
            </div>
          </>
        )}
      </div>
    </li>
  );
}
