import type { Answers } from "@/api/saved-types";
import { count } from "@/lib/format";
import { TimeChart } from "@/ui/chart/time-chart";
import type { DateNote } from "@/ui/chart/series";
import { placeOf } from "@/features/report/places";
import { words } from "../words";
import { BigNumber, Nothing } from "./big-number";
import { trendSeries, trendTotal } from "./trend-series";

interface Props {
  answer: Answers["trends"];
  /** How it is drawn; what is unknown is drawn as lines. */
  chart: unknown;
  height: number;
  notes: readonly DateNote[];
}

const NUMBER_PX = 44;
const LEGEND_PX = 44;

export function TrendsAnswerCard({ answer, chart, height, notes }: Props) {
  const series = trendSeries(answer);
  const total = trendTotal(answer);
  const name = series.map((one) => one.name).join(", ");
  if (series.length === 0) return <Nothing text={words.answer.noEvents} />;
  if (chart === "number" && total !== null) {
    return (
      <div className="grid h-full place-content-center">
        <BigNumber {...total} />
      </div>
    );
  }
  const room = height - (total === null ? 0 : NUMBER_PX) - (series.length > 1 ? LEGEND_PX : 0);
  return (
    <div className="flex flex-col gap-2">
      {total !== null && <BigNumber {...total} />}
      <TimeChart
        label={name}
        places={answer.buckets.map((one) => placeOf(one.date, answer.interval, one.is_incomplete))}
        series={series}
        format={count}
        height={Math.max(80, room)}
        kind={chart === "bar" ? "bar" : chart === "area" ? "area" : "line"}
        notes={notes}
        hasTable={false}
      />
    </div>
  );
}
