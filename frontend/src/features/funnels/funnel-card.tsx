import type { Funnel } from "@/api/types";
import { paths } from "@/app/paths";
import { previousRange, type DayRange } from "@/lib/dates";
import { compactCount, count, exactPercent, percent, span } from "@/lib/format";
import { t } from "@/lib/strings";
import { Sparkline } from "@/ui/chart/sparkline";
import { Delta } from "@/ui/metric";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { conversionDelta } from "./compare-math";
import { MiniBars } from "./mini-bars";
import { answerQuery, trendQuery } from "./report-queries";
import { useOnScreen } from "./use-on-screen";
import { w } from "./words";

/** What a card counts: the last so many days. */
export const CARD_DAYS = 30;

interface Props {
  funnel: Funnel;
  /** Null until the project's time zone is known. */
  range: DayRange | null;
}

/** One funnel of the list; asks for its numbers when it comes into view. */
export function FunnelCard({ funnel, range }: Props) {
  const [isSeen, watch] = useOnScreen();
  const question = { funnelId: funnel.id, range };
  const isReady = isSeen && range !== null;
  const answer = useQuery({ ...answerQuery(question, range && previousRange(range), false), enabled: isReady });
  const trend = useQuery({ ...trendQuery(question, "day", null, answer.data?.data_version ?? ""), enabled: isReady && answer.data !== undefined });
  const stages = answer.data?.stages ?? [];
  const first = stages[0]?.users ?? 0;
  const before = answer.data?.compare;
  const delta = answer.data && before ? conversionDelta(answer.data, before) : null;
  const window = typeof funnel.window_seconds !== "number" ? t.funnel.sentence.noWindow : t.funnel.sentence.within(span(funnel.window_seconds));
  return (
    <li
      ref={watch}
      className="group relative flex min-h-62 flex-col rounded-xl border border-line bg-surface p-5 shadow-card transition-colors duration-150 hover:border-line-strong"
    >
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
          <Skeleton className="h-34 rounded-lg" />
        ) : answer.isError ? (
          <p className="text-sm text-ink-faint">{t.funnels.listFailed}</p>
        ) : first === 0 ? (
          <p className="text-sm text-ink-faint">{t.funnels.noneEntered}</p>
        ) : (
          <>
            <MiniBars stages={stages} />
            <div className="mt-3 flex h-11 items-end justify-between gap-4">
              <div className="min-w-0">
                <p className="figures text-xl font-semibold tracking-[-0.02em]" title={exactPercent(answer.data.overall_conversion_rate)}>
                  {percent(answer.data.overall_conversion_rate)}
                </p>
                <p className="figures text-sm text-ink-soft" title={`${count(first)} → ${count(stages.at(-1)?.users ?? 0)}`}>
                  {`${compactCount(first)} → ${compactCount(stages.at(-1)?.users ?? 0)}`}
                  <span className="text-ink-faint">{`, ${t.funnels.lastDays}`}</span>
                </p>
              </div>
              <Sparkline values={(trend.data?.trend?.buckets ?? []).map((bucket) => bucket.overall_conversion_rate)} label={w.list.trend} />
            </div>
            <p className="figures mt-1 min-h-5 text-sm text-ink-faint">
              {delta && <Delta delta={delta} />}
            </p>
          </>
        )}
      </div>
    </li>
  );
}
