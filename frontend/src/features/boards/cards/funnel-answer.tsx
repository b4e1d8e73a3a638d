import type { Answers } from "@/api/saved-types";
import { BeforeLegend } from "@/features/funnels/before-marks";
import { beforeText } from "@/features/funnels/before-words";
import { conversionDelta, drawnBefore } from "@/features/funnels/compare-math";
import { SureMark } from "@/features/funnels/sure-mark";
import { w } from "@/features/funnels/words";
import { compactCount, count, duration, percent } from "@/lib/format";
import { BarList } from "@/ui/chart/bar-list";
import { Delta } from "@/ui/metric";
import { Scroller } from "@/ui/scroller";
import { words } from "../words";
import { BigNumber, Nothing } from "./big-number";

/** Conversion, then the stages with those who reached them; beside both what they were before and how long they took, where that was asked. */
export function FunnelAnswerCard({ answer }: { answer: Answers["funnel"] }) {
  const first = answer.stages[0]?.users ?? 0;
  const last = answer.stages.at(-1)?.users ?? 0;
  if (first === 0) return <Nothing text={words.answer.nobody} />;
  const before = drawnBefore(answer.stages, answer.compare);
  return (
    <div className="flex h-full flex-col gap-2">
      <BigNumber value={percent(answer.overall_conversion_rate)} label={words.answer.conversion(count(last), count(first))} />
      <Beside answer={answer} hasBefore={before !== null} />
      <Scrolled label={words.kinds.funnel}>
        <BarList
          isStrong
          rows={answer.stages.map((stage, index) => {
            const then = before?.stages[index];
            return {
              key: String(stage.order),
              name: stage.stage_name,
              value: stage.users,
              text: compactCount(stage.users),
              detail: <StageDetail rate={percent(stage.conversion_rate)} before={then && beforeText(then, stage.order)} median={medianAt(answer, stage.order)} />,
              ...(then && { mark: then.share }),
            };
          })}
        />
        {before && (
          <div className="px-2 pt-2">
            <BeforeLegend drawn={before} />
          </div>
        )}
      </Scrolled>
    </div>
  );
}

const medianAt = (answer: Answers["funnel"], order: number): number | null => answer.times?.steps.find((step) => step.to_order === order)?.median_s ?? null;

/** How the conversion changed and how sure that is, and how long the converted took. */
function Beside({ answer, hasBefore }: { answer: Answers["funnel"]; hasBefore: boolean }) {
  const [compare, total] = [answer.compare, answer.times?.total];
  const delta = hasBefore && compare ? conversionDelta(answer, compare) : null;
  if (!delta && !total) return null;
  return (
    <p className="figures flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-ink-faint">
      {delta && <Delta delta={delta} />}
      {delta && compare?.significance && <SureMark significance={compare.significance} />}
      {total && <span>{total.median_s === null || total.p90_s === null ? w.metrics.noTimes : words.answer.times(duration(total.median_s), duration(total.p90_s))}</span>}
    </p>
  );
}

function StageDetail({ rate, before, median }: { rate: string; before: string | undefined; median: number | null }) {
  return (
    <span className="flex flex-wrap justify-end gap-x-2">
      {median !== null && <span className="hidden sm:inline">{w.chart.median(duration(median))}</span>}
      {before && <span>{before}</span>}
      <span>{rate}</span>
    </span>
  );
}

/** The part of a card that scrolls when the card is small; by keys, too. */
export function Scrolled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Scroller label={label} className="flex-1">
      {children}
    </Scroller>
  );
}
