import { clock, count } from "@/lib/format";
import { TimeChart } from "@/ui/chart/time-chart";
import type { Place, Series } from "@/ui/chart/series";
import { Card } from "@/ui/card";
import { rateOf, SPAN_MS, total, type Counts, type LiveStore } from "./live-store";
import { words } from "./words";

const HEIGHT = 128;

/** How many events came in each span of the last minutes, stored and not stored. */
export function RateCard({ store, now, timeZone }: { store: LiveStore; now: number; timeZone: string }) {
  const spans = rateOf(store, now);
  const places: Place[] = spans.map(({ at }, index) => ({
    label: words.ago(((spans.length - 1 - index) * SPAN_MS) / 1_000),
    title: words.span(clock(new Date(at).toISOString(), timeZone), clock(new Date(at + SPAN_MS).toISOString(), timeZone)),
    isIncomplete: index === spans.length - 1,
  }));
  const values = (of: (counts: Counts) => number): (number | null)[] => spans.map(({ counts }) => counts && of(counts));
  const kept = (counts: Counts): number => counts.stored + counts.bot;
  const series: Series[] = [
    { key: "stored", name: words.stored, values: values(kept), color: 0 },
    { key: "not", name: words.notStored, values: values((counts) => total(counts) - kept(counts)), color: 5 },
  ];
  return (
    <Card className="mb-4 px-5 py-4">
      <h2 className="sr-only">{words.rate}</h2>
      <TimeChart label={words.rate} places={places} series={series} format={count} height={HEIGHT} kind="area" />
    </Card>
  );
}
