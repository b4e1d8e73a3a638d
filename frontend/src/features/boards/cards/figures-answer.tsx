import type { Answers } from "@/api/saved-types";
import { compactCount, count, duration, percent } from "@/lib/format";
import { BarList } from "@/ui/chart/bar-list";
import { TimeChart } from "@/ui/chart/time-chart";
import type { DateNote } from "@/ui/chart/series";
import { placeOf } from "@/features/report/places";
import { words } from "../words";

type Props = { height: number; notes: readonly DateNote[] } & ({ kind: "sessions"; answer: Answers["sessions"] } | { kind: "overview"; answer: Answers["overview"] });

const FIGURES_PX = 56;
const PAGES_FROM_PX = 380;
const PAGES = 5;
const ROW_PX = 36;
/** Where the list of pages stands: the chart gets the rest. */
const PAGES_PX = PAGES * ROW_PX + 36;

/** What is counted most, as numbers, and people or sessions over time. */
export function FiguresAnswerCard(props: Props) {
  const { answer, kind, height, notes } = props;
  const { total, buckets, interval } = answer;
  const said = words.answer;
  const figures = [
    { label: said.people, value: compactCount(total.people) },
    { label: said.sessions, value: compactCount(total.sessions) },
    ...(kind === "overview" ? [{ label: said.views, value: compactCount(total.page_views) }] : []),
    { label: said.bounce, value: percent(total.bounce_rate) },
    ...(kind === "sessions" ? [{ label: said.time, value: total.average_seconds === null ? "–" : duration(total.average_seconds) }] : []),
  ];
  const pages = kind === "overview" && height >= PAGES_FROM_PX ? props.answer.pages.slice(0, PAGES) : [];
  const name = kind === "overview" ? said.people : said.sessions;
  const room = height - FIGURES_PX - (pages.length > 0 ? PAGES_PX : 0);
  return (
    <div className="flex h-full flex-col gap-2 overflow-hidden">
      <dl className="flex flex-wrap gap-x-6 gap-y-1">
        {figures.map((one) => (
          <div key={one.label} className="flex flex-col-reverse">
            <dt className="text-xs text-ink-soft">{one.label}</dt>
            <dd className="figures text-xl font-semibold tracking-[-0.02em]">{one.value}</dd>
          </div>
        ))}
      </dl>
      <TimeChart
        label={name}
        places={buckets.map((one) => placeOf(one.bucket, interval, one.is_incomplete))}
        series={[{ key: name, name, color: 0, values: buckets.map((one) => (kind === "overview" ? one.people : one.sessions)) }]}
        format={count}
        height={Math.max(80, room)}
        kind={kind === "overview" ? "area" : "bar"}
        notes={notes}
        hasTable={false}
      />
      {pages.length > 0 && (
        <div>
          <h3 className="mb-1 px-2 text-xs font-medium text-ink-soft">{said.topPages}</h3>
          <BarList rows={pages.map((page) => ({ key: page.page, name: page.page, value: page.views, text: compactCount(page.views) }))} />
        </div>
      )}
    </div>
  );
}
