import { Scroller } from "../scroller";
import { t } from "@/lib/strings";
import { shown, type Place, type Series } from "./series";

interface Props {
  label: string;
  places: readonly Place[];
  series: readonly Series[];
  format: (value: number) => string;
  height: number;
}

/** The numbers of a chart, place by place. */
export function SeriesTable({ label, places, series, format, height }: Props) {
  return (
    <div className="grid overflow-hidden rounded-lg border border-line" style={{ height }}>
      <Scroller label={label}>
        <table className="figures w-full text-sm">
          <thead className="sticky top-0 z-10 bg-sunken text-xs text-ink-soft">
            <tr className="bg-sunken">
              <td className="stays px-3 py-2" />
              {series.map((one) => (
                <th key={one.key} scope="col" dir="auto" className="stranger max-w-60 px-3 py-2 text-right font-medium">
                  <span className="line-clamp-2">{one.name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {places.map((place, at) => (
              <tr key={place.title} className="bg-surface">
                <th scope="row" className="stays px-3 py-1.5 text-left font-normal whitespace-nowrap text-ink-soft">
                  {place.isIncomplete ? `${place.title} (${t.report.incomplete})` : place.title}
                </th>
                {series.map((one) => (
                  <td key={one.key} className="px-3 py-1.5 text-right">
                    {shown(one, at, format)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </div>
  );
}
