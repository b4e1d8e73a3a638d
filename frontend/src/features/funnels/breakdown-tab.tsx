import type { FunnelAnswer, FunnelGroup } from "@/api/types";
import { propertyLabel } from "@/features/report/conditions";
import { groupName } from "@/features/report/group-name";
import { compactCount, count, exactPercent, percent, points } from "@/lib/format";
import { cn } from "@/lib/class-names";
import type { DayRange } from "@/lib/dates";
import { Delta } from "@/ui/metric";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Segmented } from "@/ui/segmented";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { Scroller } from "@/ui/scroller";
import { useQuery } from "@tanstack/react-query";
import { GroupFunnels } from "./group-funnels";
import { groupColor } from "./group-math";
import type { StageRow } from "./funnel-math";
import { PropertyChoice } from "./property-choice";
import { breakdownQuery, type Question } from "./report-queries";
import { groupChange, type GroupChange } from "./compare-math";
import { SureMark } from "./sure-mark";
import type { Grouping, GroupView } from "./view-state";
import { w } from "./words";

const VIEWS = [
  { value: "table", label: w.groups.views.table },
  { value: "charts", label: w.groups.views.charts },
] as const;

interface Props {
  projectId: string;
  question: Question;
  rows: readonly StageRow[];
  grouping: Grouping | null;
  view: GroupView;
  /** The days compared with. */
  compared: DayRange | null;
  dataVersion: string;
  onGroup: (grouping: Grouping | null) => void;
  onView: (view: GroupView) => void;
}

/** The funnel of each value of a property, as a table with bars or as small funnels. */
export function BreakdownTab({ projectId, question, rows, grouping, view, compared, dataVersion, onGroup, onView }: Props) {
  const answer = useQuery(breakdownQuery(question, grouping, compared, dataVersion));
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-3 gap-y-2 px-5 py-3">
        <PropertyChoice
          key={grouping?.property ?? ""}
          projectId={projectId}
          chosen={grouping?.property ?? ""}
          onChoose={(property) => onGroup(property === "" ? null : { property, attribution: grouping?.attribution ?? "entry" })}
        />
        {grouping && (
          <>
            <NativeSelect
              aria-label={w.groups.attribution}
              className="w-auto max-w-[min(18rem,100%)] min-w-52"
              value={grouping.attribution}
              onChange={(event) => onGroup({ ...grouping, attribution: event.target.value })}
            >
              {(["entry", "first_known", "last_known", "each"] as const).map((one) => (
                <option key={one} value={one}>
                  {w.groups.attributions[one]}
                </option>
              ))}
              {rows.slice(1).map((row) => (
                <option key={row.order} value={`step:${row.order}`}>
                  {w.groups.attributions.step(row.order, row.stage_name)}
                </option>
              ))}
            </NativeSelect>
            <Segmented label={w.groups.view} value={view} options={VIEWS} onChange={onView} className="mb-0.5" />
            {answer.isFetching && <Spinner className="mb-2.5 text-ink-faint" />}
          </>
        )}
      </div>
      {!grouping ? (
        <p className="px-5 pb-14 pt-8 text-center text-ink-soft">{w.groups.choose}</p>
      ) : answer.isError && !answer.isPlaceholderData ? (
        <Failure error={answer.error} onRetry={() => void answer.refetch()} />
      ) : answer.data?.breakdown ? (
        <div aria-busy={answer.isPlaceholderData} className={cn("transition-opacity duration-150", answer.isPlaceholderData && "opacity-55")}>
          {view === "table" ? (
            <GroupTable groups={answer.data.breakdown.groups} then={answer.data.compare?.breakdown?.groups ?? null} property={propertyLabel(answer.data.breakdown.property)} />
          ) : (
            <GroupFunnels groups={answer.data.breakdown.groups} then={answer.data.compare?.breakdown?.groups ?? null} />
          )}
          <Note breakdown={answer.data.breakdown} />
        </div>
      ) : (
        <div aria-busy="true" className="flex flex-col gap-3 px-5 pb-6">
          {[1, 2, 3, 4, 5].map((one) => (
            <Skeleton key={one} className="h-10" />
          ))}
        </div>
      )}
    </>
  );
}

function Note({ breakdown }: { breakdown: NonNullable<FunnelAnswer["breakdown"]> }) {
  const hasRest = breakdown.groups.some((group) => group.group === "other");
  return (
    <p className="px-5 py-3 text-sm text-ink-faint">
      {!breakdown.adds_up && w.groups.overlap} {hasRest && w.groups.rest}
    </p>
  );
}

interface TableProps {
  groups: readonly FunnelGroup[];
  /** The same groups in the days compared with. */
  then: readonly FunnelGroup[] | null;
  property: string;
}

function GroupTable({ groups, then, property }: TableProps) {
  const most = Math.max(1, ...groups.map((group) => group.overall_conversion_rate));
  const heads = [w.groups.entered, w.groups.converted, w.groups.conversion, ...(then ? [w.groups.before, w.groups.change] : []), w.groups.compared];
  return (
    <Scroller label={w.groups.table(property)}>
      <table className="figures w-full text-sm">
        <thead>
          <tr className="border-y border-line bg-sunken text-xs text-ink-soft">
            <th scope="col" dir="auto" className="stays stranger py-2 pr-3 pl-5 text-left font-medium">
              {property}
            </th>
            <td className="hidden w-2/5 sm:table-cell" />
            {heads.map((head) => (
              <th key={head} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap last:pr-5">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {groups.map((group, index) => {
            const rate = group.overall_conversion_rate;
            const isWord = group.group !== "value";
            return (
              <tr key={`${group.group} ${group.value ?? ""}`} className="bg-surface">
                <th scope="row" className="stays min-w-28 py-2.5 pr-3 pl-5 text-left font-normal">
                  <span className="flex items-center gap-2">
                    <span aria-hidden className="size-2.5 shrink-0 rounded-sm" style={{ background: groupColor(group, index) }} />
                    <span dir="auto" className={cn("stranger line-clamp-2", isWord ? "text-ink-soft italic" : "font-medium")}>
                      {groupName(group)}
                    </span>
                  </span>
                </th>
                <td className="hidden px-3 sm:table-cell">
                  <span aria-hidden className="block h-3.5 rounded-sm" style={{ width: `${Math.max(0.4, (100 * rate) / most)}%`, background: groupColor(group, index) }} />
                </td>
                <td className="px-3 py-2.5 text-right" title={count(group.stages[0]?.users ?? 0)}>
                  {compactCount(group.stages[0]?.users ?? 0)}
                </td>
                <td className="px-3 py-2.5 text-right" title={count(group.stages.at(-1)?.users ?? 0)}>
                  {compactCount(group.stages.at(-1)?.users ?? 0)}
                </td>
                <td className="px-3 py-2.5 text-right font-medium" title={exactPercent(rate)}>
                  {percent(rate)}
                </td>
                {then && <Changed change={groupChange(group, then)} />}
                <td className="py-2.5 pr-5 pl-3 text-right whitespace-nowrap text-ink-soft">
                  {group.significance ? (
                    <span className="inline-flex items-center gap-2">
                      {!group.significance.is_too_small && points(group.significance.difference)}
                      <SureMark significance={group.significance} isShort={!group.significance.is_too_small} />
                    </span>
                  ) : (
                    "–"
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroller>
  );
}

function Changed({ change }: { change: GroupChange | null }) {
  if (!change)
    return (
      <>
        <td className="px-3 py-2.5 text-right text-ink-soft">–</td>
        <td className="px-3 py-2.5 text-right text-ink-soft" title={w.groups.nobodyBefore}>
          –
        </td>
      </>
    );
  return (
    <>
      <td className="px-3 py-2.5 text-right text-ink-soft" title={exactPercent(change.before)}>
        {percent(change.before)}
      </td>
      <td className="px-3 py-2.5 text-right whitespace-nowrap">
        <span className="inline-flex items-center gap-2">
          <Delta delta={change.delta} isBare />
          {change.significance && <SureMark significance={change.significance} isShort />}
        </span>
      </td>
    </>
  );
}
