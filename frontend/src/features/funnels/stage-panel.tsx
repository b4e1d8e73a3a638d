import type { FunnelStage } from "@/api/types";
import { count, exactPercent } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { X } from "lucide-react";
import { share, type StageRow } from "./funnel-math";
import { StageDefinition } from "./stage-definition";
import { w } from "./words";

interface Props {
  row: StageRow;
  next: StageRow | undefined;
  /** The stage before, when those who stopped there are looked at. */
  previous: StageRow | undefined;
  definition: FunnelStage | undefined;
  onClose: () => void;
}

/** One stage in words: who reached it, who went on, who stopped, and what it counts. */
export function StagePanel({ row, next, previous, definition, onClose }: Props) {
  const words = t.funnel.stage;
  const stopped = next ? Math.max(0, row.users - next.users) : 0;
  const text = previous
    ? [
        w.people.stopped(count(row.lost), exactPercent(row.drop_off_rate), count(previous.users), previous.stage_name, row.stage_name),
        ...(row.waiting > 0 ? [w.people.waiting(count(row.waiting))] : []),
      ].join(" ")
    : `${words.reached(count(row.users), exactPercent(row.conversion_rate))} ${
        next
          ? `${words.wentOn(count(next.users), exactPercent(share(next.users, row.users)), next.stage_name)} ${words.stopped(count(stopped), exactPercent(next.drop_off_rate))}`
          : words.last
      }`;
  return (
    <section aria-label={`${words.panel}: ${row.stage_name}`} className="flex animate-fade items-start justify-between gap-4 border-b border-line px-5 py-3.5">
      <div className="min-w-0">
        <h3 className="flex flex-wrap items-baseline gap-x-2 text-base font-semibold">
          <span className="figures text-xs font-medium text-ink-faint">{words.number(row.order)}</span>
          <span dir="auto" className="stranger">
            {row.stage_name}
          </span>
        </h3>
        <p dir="auto" className="stranger figures mt-0.5 max-w-[90ch] text-base text-ink-soft">
          {text}
        </p>
        {definition && (
          <div className="mt-1.5">
            <StageDefinition stage={definition} />
          </div>
        )}
      </div>
      <Button variant="ghost" size="icon-sm" aria-label={words.close} onClick={onClose}>
        <X aria-hidden className="size-4" />
      </Button>
    </section>
  );
}
