import type { FunnelTimes } from "@/api/types";
import { count, duration } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { TimeChart } from "@/ui/chart/time-chart";
import { Scroller } from "@/ui/scroller";
import type { StageRow } from "./funnel-math";
import { binName } from "./time-bins";
import { w } from "./words";

const text = (seconds: number | null): string => (seconds === null ? "–" : duration(seconds));

/** How long it takes from stage to stage, and how the whole way is spread. */
export function TimesTab({ times, rows }: { times: FunnelTimes; rows: readonly StageRow[] }) {
  const nameOf = (order: number): string => rows.find((row) => row.order === order)?.stage_name ?? String(order);
  if (times.total.count === 0) return <p className="px-5 py-14 text-center text-ink-soft">{w.times.none}</p>;
  const bins = times.histogram.map((bin) => ({ name: binName(bin.from_s, bin.to_s), count: bin.count }));
  const lines = [
    ...times.steps.map((step) => ({ ...step, name: w.times.between(nameOf(step.from_order), nameOf(step.to_order)), isTotal: false })),
    { ...times.total, name: w.times.total, isTotal: true },
  ];
  return (
    <>
      <div className="px-5 py-4">
        <h2 className="mb-1 font-semibold tracking-[-0.006em]">{w.times.histogram}</h2>
        <TimeChart
          label={w.times.histogram}
          kind="bar"
          height={220}
          places={bins.map((bin) => ({ label: bin.name, title: bin.name }))}
          series={[{ key: "people", name: w.times.people, values: bins.map((bin) => bin.count), color: 0 }]}
          format={count}
        />
      </div>
      <Scroller label={w.times.table} className="border-t border-line">
        <table className="figures w-full text-sm">
          <thead>
            <tr className="border-b border-line bg-sunken text-xs text-ink-soft">
              <th scope="col" className="stays py-2 pr-3 pl-5 text-left font-medium">
                {w.times.step}
              </th>
              {[w.times.count, w.times.median, w.times.average, w.times.p90].map((head) => (
                <th key={head} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap last:pr-5">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {lines.map((line) => (
              <tr key={line.name} className={cn("bg-surface", line.isTotal && "font-medium")}>
                <th scope="row" dir="auto" className={cn("stays stranger min-w-44 py-2.5 pr-3 pl-5 text-left", !line.isTotal && "font-normal")}>
                  {line.name}
                </th>
                {[count(line.count), text(line.median_s), text(line.average_s), text(line.p90_s)].map((cell, index) => (
                  <td key={index} className="px-3 py-2.5 text-right whitespace-nowrap last:pr-5">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </>
  );
}
