import type { FunnelStage } from "@/api/types";
import { count, exactPercent } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { X } from "lucide-react";
import { share, type StageRow } from "./funnel-math";
import { StageDefinition } from "./stage-definition";

interface Props {
  row: StageRow;
  next: StageRow | undefined;
  definition: FunnelStage | undefined;
  onClose: () => void;
}

/** One stage in words: who reached it, who went on, who stopped, and what it counts. */
export function StagePanel({ row, next, definition, onClose }: Props) {
  const words = t.funnel.stage;
  const stopped = next ? Math.max(0, row.users - next.users) : 0;
  return (
    <section aria-label={`${words.panel}: ${row.stage_name}`} className="animate-fade border-t border-line px-5 py-4">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <p className="figures text-xs text-ink-faint">{words.number(row.order)}</p>
          <h3 dir="auto" className="stranger text-base font-semibold">
            {row.stage_name}
          </h3>
        </div>
        <Button variant="ghost" size="icon-sm" aria-label={words.close} onClick={onClose}>
          <X aria-hidden className="size-4" />
        </Button>
      </div>
      <p className="figures mt-1 max-w-[75ch] text-base text-ink-soft">
        {words.reached(count(row.users), exactPercent(row.conversion_rate))}{" "}
        {next
          ? `${words.wentOn(count(next.users), exactPercent(share(next.users, row.users)), next.stage_name)} ${words.stopped(count(stopped), exactPercent(next.drop_off_rate))}`
          : words.last}
      </p>
      {next && row.users > 0 && (
        <div className="mt-3 max-w-2xl">
          <div aria-hidden className="flex h-2.5 gap-0.5 overflow-hidden rounded-full">
            <span className="bg-(--bar-to)" style={{ width: `${share(next.users, row.users)}%` }} />
            <span className="flex-1 bg-(--bar-lost)" />
          </div>
          <div className="figures mt-1.5 flex justify-between text-xs text-ink-faint">
            <span>{`${words.onward} ${count(next.users)}`}</span>
            <span>{`${words.dropped} ${count(stopped)}`}</span>
          </div>
        </div>
      )}
      {definition && (
        <div className="mt-3">
          <StageDefinition stage={definition} />
        </div>
      )}
    </section>
  );
}
