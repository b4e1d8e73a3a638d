import { count, moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Check, LoaderCircle } from "lucide-react";
import type { Erasure } from "./queries";
import { words as allWords } from "./words";

const words = allWords.erasures;

/** What is known of erasures: when, how far, how much. Nothing says who it was. */
export function ErasureList({ erasures, timeZone }: { erasures: readonly Erasure[]; timeZone: string }) {
  return (
    <ul className="flex flex-col gap-3">
      {erasures.map((one) => (
        <li key={one.erasure_id} className="rounded-lg border border-line px-4 py-3 text-sm">
          <div className="flex flex-wrap items-center justify-between gap-2">
            <span className="figures font-medium">{words.requested(moment(one.requested_at, timeZone))}</span>
            <Badge tone={one.status === "done" ? "positive" : "warning"} role="status">
              {one.status === "done" ? <Check aria-hidden className="size-3" /> : <LoaderCircle aria-hidden className="size-3" />}
              {words.status[one.status]}
            </Badge>
          </div>
          <p className="figures mt-1.5 text-ink-soft">{words.hidden(count(one.rows_hidden))}</p>
          <p className="figures text-ink-soft">
            {words.removed(count(one.removed.rows ?? 0), count(one.removed.files ?? 0), count(one.removed.refused ?? 0))}
          </p>
          {one.done_at && <p className="figures text-ink-soft">{`${words.done(moment(one.done_at, timeZone))}. ${words.proof}`}</p>}
          <p className="mt-1 font-mono text-xs text-ink-faint">{words.id(one.erasure_id)}</p>
        </li>
      ))}
    </ul>
  );
}
