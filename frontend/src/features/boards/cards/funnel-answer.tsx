import type { Answers } from "@/api/saved-types";
import { compactCount, count, percent } from "@/lib/format";
import { BarList } from "@/ui/chart/bar-list";
import { words } from "../words";
import { BigNumber, Nothing } from "./big-number";

/** Conversion, then the stages with those who reached them. */
export function FunnelAnswerCard({ answer }: { answer: Answers["funnel"] }) {
  const first = answer.stages[0]?.users ?? 0;
  const last = answer.stages.at(-1)?.users ?? 0;
  if (first === 0) return <Nothing text={words.answer.nobody} />;
  return (
    <div className="flex h-full flex-col gap-2">
      <BigNumber value={percent(answer.overall_conversion_rate)} label={words.answer.conversion(count(last), count(first))} />
      <Scrolled label={words.kinds.funnel}>
        <BarList
          isStrong
          rows={answer.stages.map((stage) => ({
            key: String(stage.order),
            name: stage.stage_name,
            value: stage.users,
            text: compactCount(stage.users),
            detail: percent(stage.conversion_rate),
          }))}
        />
      </Scrolled>
    </div>
  );
}

/** The part of a card that scrolls when the card is small; by keys, too. */
export function Scrolled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div role="region" aria-label={label} tabIndex={0} className="min-h-0 flex-1 overflow-auto">
      {children}
    </div>
  );
}
