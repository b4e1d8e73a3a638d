import { lastDays, todayIn } from "@/lib/dates";
import { compactCount, count, exactPercent, percent } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { useDebounced } from "@/lib/use-debounced";
import { t } from "@/lib/strings";
import { asProblem, explain } from "@/api/problem";
import { Card, CardHead } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { useWatch } from "react-hook-form";
import { definitionFrom, draftSchema, type Definition, type Draft } from "./definition-math";
import { stageRows, type StageRow } from "./funnel-math";
import { previewQuery } from "./queries";

const TYPING_MS = 400;
const PREVIEW_DAYS = 30;

/** The definition as far as it can be counted already; a missing name does not stop it. */
function countable(draft: Draft): Definition | null {
  const parsed = draftSchema.safeParse({ ...draft, name: draft.name.trim() || t.builder.preview });
  return parsed.success ? { ...definitionFrom(parsed.data), name: t.builder.preview, description: "" } : null;
}

export function PreviewCard({ projectId, timeZone }: { projectId: string; timeZone: string }) {
  const draft = useDebounced(useWatch<Draft>() as Draft, TYPING_MS);
  const definition = countable(draft);
  const range = lastDays(PREVIEW_DAYS, todayIn(timeZone, new Date()));
  const preview = useQuery(previewQuery(projectId, definition, range));
  const rows = definition && preview.data ? stageRows(preview.data.stages) : null;
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
        ) : rows ? (
          <ol className={cn("flex flex-col gap-3 transition-opacity", preview.isPlaceholderData && "opacity-50")}>
            {rows.map((row) => (
              <PreviewRow key={row.order} row={row} />
            ))}
          </ol>
        ) : (
          <Skeleton className="h-36" />
        )}
      </div>
    </Card>
  );
}

function PreviewError({ error }: { error: unknown }) {
  const { title, advice } = explain(asProblem(error));
  return (
    <p className="py-2 text-sm text-danger">
      <span className="font-medium">{title}</span> {advice}
    </p>
  );
}

function PreviewRow({ row }: { row: StageRow }) {
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
      <div aria-hidden className="mt-1.5 h-2 overflow-hidden rounded-full bg-sunken">
        <div
          className="h-full rounded-full bg-linear-to-r from-(--bar-to) to-(--bar-from) transition-[width] duration-150"
          style={{ width: `${Math.max(row.conversion_rate, row.users > 0 ? 1 : 0)}%` }}
        />
      </div>
    </li>
  );
}
