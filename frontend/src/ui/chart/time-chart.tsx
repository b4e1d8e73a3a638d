import { t } from "@/lib/strings";
import { Loaded } from "@/lib/later";
import { useWidth } from "@/lib/use-width";
import { Segmented } from "@/ui/segmented";
import { Skeleton } from "@/ui/skeleton";
import { ChartLine, Table2 } from "lucide-react";
import { useState, type KeyboardEvent, type ReactNode } from "react";
import { timePlot } from "./later-plot";
import { SeriesTable } from "./series-table";
import { BEFORE_DASH, seriesColor, seriesDash, shown, type DateNote, type Place, type Series } from "./series";

const LABELS_MAX = 8;
const LABELS_FROM_PX = 620;

interface Props {
  /** What is drawn, in words, for those who do not see it. */
  label: string;
  places: readonly Place[];
  series: readonly Series[];
  format: (value: number) => string;
  /** How the axis writes its numbers; short ones if absent. */
  axisFormat?: (value: number, greatest: number) => string;
  height?: number;
  kind?: "line" | "bar" | "area";
  notes?: readonly DateNote[];
  /** Names beside the chart; a chart of one series needs none. */
  hasLegend?: boolean;
  /** A switch to the same numbers as a table. */
  hasTable?: boolean;
  onPick?: (place: number) => void;
}

/** Series over time, as lines or bars, with a table of the same numbers one click away. */
export function TimeChart({ label, places, series, format, axisFormat, height = 280, kind = "line", notes = [], hasLegend = series.length > 1, hasTable = true, onPick }: Props) {
  const [width, measure] = useWidth();
  const [view, setView] = useState<"chart" | "table">("chart");
  const [at, setAt] = useState<number | null>(null);
  // The place of a shorter range before may be none of this one.
  const active = at !== null && at < places.length ? at : null;
  const lines = series.filter((one) => !one.isBefore);
  const hasEndLabels = kind !== "bar" && hasLegend && lines.length > 1 && lines.length <= LABELS_MAX && width !== null && width >= LABELS_FROM_PX;
  const isNamed = hasLegend && (!hasEndLabels || series.length > lines.length);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = neighbour(event.key, active, places.length);
    if (event.key === "Escape" && active !== null) setAt(null);
    else if (event.key === "Enter" && active !== null && onPick) onPick(active);
    else if (next !== null) setAt(next);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const place = active === null ? undefined : places[active];
  return (
    <div className="min-w-0">
      {(hasTable || isNamed) && (
        <div className="flex min-h-9 items-start justify-between gap-x-4 pb-2">
          <ul className="flex min-w-0 flex-wrap gap-x-4 gap-y-1 pt-1.5 text-xs text-ink-soft">
            {isNamed &&
              (hasEndLabels ? [] : lines.length > 1 ? lines : series).map((one) => (
                <Named key={one.key} name={one.name}>
                  <Stroke color={seriesColor(one.color)} isBefore={one.isBefore ?? false} dash={kind === "line" ? seriesDash(one.color) : undefined} />
                </Named>
              ))}
            {isNamed && lines.length > 1 && series.length > lines.length && (
              <Named name={t.report.linesBefore}>
                <Stroke color="var(--ink-faint)" isBefore />
              </Named>
            )}
          </ul>
          {hasTable && (
            <Segmented
              label={t.report.view}
              value={view}
              options={[
                { value: "chart", label: <ChartLine role="img" aria-label={t.report.asChart} className="size-4" /> },
                { value: "table", label: <Table2 role="img" aria-label={t.report.asTable} className="size-4" /> },
              ]}
              onChange={setView}
              className="shrink-0"
            />
          )}
        </div>
      )}
      {view === "table" ? (
        <SeriesTable label={label} places={places} series={series} format={format} height={height} />
      ) : (
        <div
          ref={measure}
          role="group"
          aria-roledescription={t.report.chart}
          aria-label={`${label}. ${t.report.keys}`}
          tabIndex={0}
          onKeyDown={onKeyDown}
          onBlur={() => setAt(null)}
          style={{ height }}
          className="relative rounded-lg"
        >
          {width !== null && (
            <Loaded
              of={timePlot}
              instead={<Skeleton className="size-full rounded-lg" />}
              with={{ width, height, places, series, format, kind, notes, active, hasEndLabels, ...(axisFormat && { axisFormat }), ...(onPick && { onPick }) }}
            />
          )}
          <p aria-live="polite" className="sr-only">
            {place && active !== null && `${place.title}: ${series.map((one) => `${one.name} ${shown(one, active, format)}`).join(", ")}`}
          </p>
        </div>
      )}
    </div>
  );
}

function Named({ name, children }: { name: string; children: ReactNode }) {
  return (
    <li className="flex min-w-0 items-center gap-1.5">
      {children}
      <span dir="auto" className="stranger line-clamp-1">
        {name}
      </span>
    </li>
  );
}

function Stroke({ color, isBefore, dash }: { color: string; isBefore: boolean; dash?: string | undefined }) {
  return (
    <svg aria-hidden width="24" height="8" className="shrink-0">
      <line x1="1" y1="4" x2="23" y2="4" stroke={color} strokeWidth={isBefore ? 1.5 : 2.5} strokeOpacity={isBefore ? 0.7 : 1} strokeDasharray={isBefore ? BEFORE_DASH : dash} />
    </svg>
  );
}

/** Where a key leads from the point that is active; null where it leads nowhere. */
function neighbour(key: string, active: number | null, total: number): number | null {
  if (total === 0) return null;
  if (key === "ArrowRight") return active === null ? 0 : Math.min(total - 1, active + 1);
  if (key === "ArrowLeft") return active === null ? total - 1 : Math.max(0, active - 1);
  if (key === "Home") return 0;
  return key === "End" ? total - 1 : null;
}
