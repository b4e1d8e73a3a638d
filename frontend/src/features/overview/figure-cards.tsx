import { metricDelta, untoned } from "@/features/report/deltas";
import { cn } from "@/lib/class-names";
import { compactCount, count } from "@/lib/format";
import { Failure } from "@/ui/notice";
import { Metric } from "@/ui/metric";
import { Skeleton } from "@/ui/skeleton";
import type { UseQueryResult } from "@tanstack/react-query";
import { FIGURES, FIGURE_NAMES, valueOf, type FigureName } from "./figures";
import type { OverviewAnswer } from "./queries";
import { words } from "./words";

/** Skeleton and number have one height, with room for a second line on a phone. */
const GRID = "grid grid-cols-2 gap-3 sm:grid-cols-3 sm:gap-4 xl:grid-cols-6 [&>*]:min-h-33 sm:[&>*]:min-h-32";

/** The numbers first: who is there now, and the figures of the range with what they were before. */
export function FigureCards({ query }: { query: UseQueryResult<OverviewAnswer> }) {
  const answer = query.data;
  if (!answer) {
    if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} className="rounded-xl border border-line bg-surface" />;
    return (
      <div className={GRID} aria-busy="true">
        {["present", ...FIGURE_NAMES].map((name) => (
          <Skeleton key={name} className="rounded-xl" />
        ))}
      </div>
    );
  }
  const { people, page_views } = answer.present;
  return (
    <div className={cn(GRID, "transition-opacity duration-150", query.isPlaceholderData && "opacity-55")} aria-busy={query.isPlaceholderData}>
      <Metric label={words.measures.present} value={compactCount(people)} exact={count(people)} isAccent className="[&>p]:whitespace-nowrap [&>p]:sm:text-xl 2xl:[&>p]:text-2xl">
        <span className="inline-flex items-center gap-1.5">
          <span aria-hidden className={cn("size-1.5 shrink-0 rounded-full", people > 0 ? "bg-positive" : "bg-line-strong")} />
          {words.presentLead(words.views(count(page_views), page_views === 1))}
        </span>
      </Metric>
      {FIGURE_NAMES.map((name) => (
        <FigureCard key={name} name={name} answer={answer} />
      ))}
    </div>
  );
}

function FigureCard({ name, answer }: { name: FigureName; answer: OverviewAnswer }) {
  const figure = FIGURES[name];
  const now = valueOf(answer.total, name);
  const before = answer.compare ? valueOf(answer.compare.total, name) : null;
  const delta = untoned(metricDelta(now, before, { text: figure.text, better: figure.better, isRate: "isRate" in figure }), answer.buckets);
  return (
    <Metric label={words.measures[name]} value={now === null ? "–" : figure.text(now)} {...(now !== null && { exact: figure.exact(now) })} delta={delta} {...(name === "people" && { hint: words.peopleHint })} className="[&>p]:whitespace-nowrap [&>p]:sm:text-xl 2xl:[&>p]:text-2xl" />
  );
}
