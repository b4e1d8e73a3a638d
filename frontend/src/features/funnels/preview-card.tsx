import { asProblem, explain } from "@/api/problem";
import { lastDays, todayIn } from "@/lib/dates";
import { compactCount, count, exactPercent, percent } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { showFieldErrors } from "@/lib/form-errors";
import { useDebounced } from "@/lib/use-debounced";
import { t } from "@/lib/strings";
import { Card, CardHead } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useFormContext, useWatch, type FieldPath } from "react-hook-form";
import { countable } from "./countable";
import { draftPath } from "./definition-math";
import type { Draft } from "./draft";
import { share, stageRows, type StageRow } from "./funnel-math";
import { HatchLegend } from "./hatch-legend";
import { previewQuery } from "./queries";
import { w } from "./words";

const TYPING_MS = 400;
const PREVIEW_DAYS = 30;

export function PreviewCard({ projectId, timeZone }: { projectId: string; timeZone: string }) {
  const draft = useDebounced(useWatch<Draft>() as Draft, TYPING_MS);
  const definition = countable(draft);
  const range = lastDays(PREVIEW_DAYS, todayIn(timeZone, new Date()));
  const preview = useQuery(previewQuery(projectId, definition, range));
  useFaultsInPlace(preview.error);
  const answer = definition ? preview.data : undefined;
  const rows = answer ? stageRows(answer.stages) : null;
  return (
    <Card aria-live="polite">
      <CardHead title={t.builder.preview} description={t.builder.previewLead(t.range.presets["30d"].toLowerCase())}>
        {preview.isFetching && <Spinner className="text-ink-faint" />}
      </CardHead>
      <div className="px-5 pt-4 pb-5">
        {!definition ? (
          <p className="py-4 text-sm text-ink-soft">{t.builder.previewWaiting}</p>
        ) : preview.isError ? (
          <PreviewError error={preview.error} />
        ) : answer && rows ? (
          <div className={cn("transition-opacity", preview.isPlaceholderData && "opacity-50")}>
            <ol className="flex flex-col gap-3">
              {rows.map((row) => (
                <PreviewRow key={row.order} row={row} entered={rows[0]?.users ?? 0} />
              ))}
            </ol>
            {answer.optional_stages?.map((stage, index) => (
              <p key={index} className="figures mt-2 flex justify-between gap-3 text-sm text-ink-faint">
                <span dir="auto" className="stranger line-clamp-1 min-w-0">
                  {w.chart.optional(stage.stage_name)}
                </span>
                {compactCount(stage.users)}
              </p>
            ))}
            {answer.open > 0 && (
              <>
                <p className="figures mt-3 text-xs text-ink-faint">{w.chart.openPeople(count(answer.open))}</p>
                <HatchLegend className="mt-1" />
              </>
            )}
          </div>
        ) : (
          <Skeleton className="h-36" />
        )}
      </div>
    </Card>
  );
}

/** What the service says against the draft stands at the fields it is about, and goes when the next answer comes. */
function useFaultsInPlace(error: Error | null): void {
  const { setError, clearErrors } = useFormContext<Draft>();
  useEffect(() => {
    if (!error) return;
    showFieldErrors(error, setError, draftPath);
    const paths = asProblem(error).errors.flatMap(({ pointer }) => (pointer ? [draftPath(pointer) as FieldPath<Draft>] : []));
    return () => clearErrors(paths);
  }, [error, setError, clearErrors]);
}

function PreviewError({ error }: { error: unknown }) {
  const { title, advice } = explain(asProblem(error));
  return (
    <p className="py-2 text-sm text-danger">
      <span className="font-medium">{title}</span> {advice}
    </p>
  );
}

function PreviewRow({ row, entered }: { row: StageRow; entered: number }) {
  return (
    <li>
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <span dir="auto" className="stranger line-clamp-1 min-w-0">
          {row.stage_name}
        </span>
        <span className="figures shrink-0 font-medium" title={count(row.users)}>
          {compactCount(row.users)}
          <span title={exactPercent(row.conversion_rate)} className="ml-2 inline-block w-12 text-right font-normal text-ink-faint">
            {percent(row.conversion_rate)}
          </span>
        </span>
      </div>
      <div aria-hidden className="mt-1.5 flex h-2 overflow-hidden rounded-full bg-sunken">
        <span
          className="h-full rounded-full bg-linear-to-r from-(--bar-to) to-(--bar-from) transition-[width] duration-150"
          style={{ width: `${Math.max(row.conversion_rate, row.users > 0 ? 1 : 0)}%` }}
        />
        <span className="hatch h-full" style={{ width: `${share(row.open, entered)}%` }} />
      </div>
    </li>
  );
}
