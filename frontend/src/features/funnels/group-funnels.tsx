import type { FunnelGroup } from "@/api/types";
import { groupName } from "@/features/report/group-name";
import { compactCount, count, exactPercent, percent } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { Delta } from "@/ui/metric";
import { groupChange, type GroupChange } from "./compare-math";
import { groupColor } from "./group-math";
import { SureMark } from "./sure-mark";
import { w } from "./words";

/** Small funnels of one scale: each stage as a share of the group's own entries, so that shapes can be compared. */
export function GroupFunnels({ groups, then = null }: { groups: readonly FunnelGroup[]; then?: readonly FunnelGroup[] | null }) {
  return (
    <ul className="grid gap-3 px-5 pt-1 sm:grid-cols-2 lg:grid-cols-3">
      {groups.map((group, index) => (
        <li key={`${group.group} ${group.value ?? ""}`} className="min-w-0 rounded-lg border border-line p-3.5">
          <div className="flex items-baseline justify-between gap-3">
            <h3 dir="auto" className={cn("stranger line-clamp-1 text-sm", group.group === "value" ? "font-semibold" : "text-ink-soft italic")}>
              {groupName(group)}
            </h3>
            <span className="figures inline-flex items-baseline gap-2 text-sm whitespace-nowrap">
              {then && <Change change={groupChange(group, then)} />}
              <span className="font-semibold" title={exactPercent(group.overall_conversion_rate)}>
                {percent(group.overall_conversion_rate)}
              </span>
            </span>
          </div>
          <ol className="mt-2 flex flex-col gap-1.5">
            {group.stages.map((stage) => (
              <li key={stage.order} title={w.groups.bar(stage.stage_name, exactPercent(stage.conversion_rate))}>
                <span className="figures flex justify-between gap-3 text-xs text-ink-soft">
                  <span dir="auto" className="stranger line-clamp-1 min-w-0">
                    {stage.stage_name}
                  </span>
                  <span title={count(stage.users)}>{compactCount(stage.users)}</span>
                </span>
                <span aria-hidden className="mt-0.5 block h-2 overflow-hidden rounded-full bg-sunken">
                  <span
                    className="block h-full rounded-full"
                    style={{ width: `${Math.max(stage.conversion_rate, stage.users > 0 ? 1 : 0)}%`, background: groupColor(group, index) }}
                  />
                </span>
              </li>
            ))}
          </ol>
          <p className="mt-2 min-h-5 text-xs text-ink-faint">{group.significance && <SureMark significance={group.significance} />}</p>
        </li>
      ))}
    </ul>
  );
}

function Change({ change }: { change: GroupChange | null }) {
  if (!change) return null;
  return (
    <span title={w.groups.changeTitle(exactPercent(change.before))} className="inline-flex items-center gap-1.5 text-xs">
      <Delta delta={change.delta} isBare />
      {change.significance && <SureMark significance={change.significance} isShort />}
    </span>
  );
}
