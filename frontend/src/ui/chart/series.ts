/** What charts draw: values over shared places (days, hours, stages), one list for each series. */

export interface Place {
  /** As the axis shows it. */
  label: string;
  /** As the tooltip and the table show it. */
  title: string;
  /** Not over yet: drawn dashed. */
  isIncomplete?: boolean;
}

export interface Series {
  key: string;
  name: string;
  /** One value for each place; null is a gap. */
  values: readonly (number | null)[];
  /** The colour of the scale, from 0; the same key should keep its colour. */
  color: number;
  /** Of the compared period: drawn thinner, paler and dashed, in the colour of its series. */
  isBefore?: boolean;
  /** How its values are written, when not as those of the others. */
  format?: (value: number) => string;
  /** Between what its values may lie: a shade behind the lines. */
  band?: readonly (readonly [number, number] | null)[];
  /** Bars of one stack stand on each other: parts of a whole only. */
  stack?: string;
}

export interface DateNote {
  /** The place it belongs to. */
  at: number;
  text: string;
}

const SERIES_COLORS = 8;

/** The colour of a series; groups beyond the scale begin anew and are told apart by their names. */
export const seriesColor = (index: number): string => `var(--series-${(index % SERIES_COLORS) + 1})`;

const DASHES = ["", "9 3", "5 3", "9 3 3 3", "12 4", "7 2 2 2", "4 4", "14 3 3 3"];

/** Dashes tell series apart where colours cannot and there is no room for names at the ends of the lines. */
export const seriesDash = (index: number): string | undefined => DASHES[index % SERIES_COLORS] || undefined;

/** Dots, for what is not over yet: no dash of a series looks like them. */
export const DOTTED = "1 5";

/** Of the days before; thinner and paler, too. */
export const BEFORE_DASH = "4 4";

export const shown = (one: Series, at: number, format: (value: number) => string): string => {
  const value = one.values[at];
  if (value === null || value === undefined) return "–";
  const write = one.format ?? format;
  const band = one.band?.[at];
  return band ? `${write(value)} (${write(band[0])} – ${write(band[1])})` : write(value);
};

const TICKS_MAX = 5;

/** The value axis: there is no half event, so that whole values have whole ticks, and no more than there are numbers. */
export function valueTicks(series: readonly Series[], isStacked: boolean): { allowDecimals: boolean; tickCount: number } {
  const all = series.flatMap((one) => one.values.filter((value) => value !== null));
  if (!all.every(Number.isInteger)) return { allowDecimals: true, tickCount: TICKS_MAX };
  const [least, most] = extent(series, isStacked);
  return { allowDecimals: false, tickCount: Math.min(TICKS_MAX, most - least + 1) };
}

/** The least and the greatest value of the axis, of which 0 and 1 are always part. */
export function extent(series: readonly Series[], isStacked: boolean): [least: number, most: number] {
  const tops = new Map<string, number>();
  for (const one of series) {
    one.values.forEach((value, at) => {
      const bar = `${isStacked ? (one.stack ?? one.key) : one.key} ${at}`;
      tops.set(bar, (tops.get(bar) ?? 0) + (value ?? 0));
    });
  }
  return [...tops.values()].reduce<[number, number]>(([low, high], top) => [Math.min(low, top), Math.max(high, top)], [0, 1]);
}

/** Moves places on a line apart until they are `gap` from each other and within the ends, as little as it takes. */
export function spread(wanted: readonly number[], gap: number, least: number, most: number): number[] {
  const order = wanted.map((_y, index) => index).sort((one, two) => (wanted[one] ?? 0) - (wanted[two] ?? 0) || one - two);
  const placed: number[] = [];
  for (const index of order) placed.push(Math.max(wanted[index] ?? 0, (placed.at(-1) ?? Number.NEGATIVE_INFINITY) + gap, least));
  for (let at = placed.length - 1, limit = most; at >= 0; at -= 1, limit -= gap) placed[at] = Math.min(placed[at] ?? 0, limit);
  const result: number[] = [];
  order.forEach((index, at) => (result[index] = placed[at] ?? 0));
  return result;
}
