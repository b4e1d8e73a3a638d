import { compactCount } from "@/lib/format";
import { t } from "@/lib/strings";
import { Area, Bar, CartesianGrid, ComposedChart, Line, ReferenceLine, Tooltip, usePlotArea, useYAxisScale, XAxis, YAxis, type MouseHandlerDataParam, type TooltipContentProps } from "recharts";
import { ChartTooltip } from "./chart-tooltip";
import { BEFORE_DASH, DOTTED, extent, seriesColor, seriesDash, shown, spread, valueTicks, type DateNote, type Place, type Series } from "./series";

interface Props {
  width: number;
  height: number;
  places: readonly Place[];
  series: readonly Series[];
  format: (value: number) => string;
  /** The greatest value lets all ticks have one form. */
  axisFormat?: (value: number, greatest: number) => string;
  kind: "line" | "bar" | "area";
  notes: readonly DateNote[];
  /** The point that the keyboard is at. */
  active?: number | null;
  /** Names stand at the ends of the lines. */
  hasEndLabels?: boolean;
  onPick?: (place: number) => void;
}

const LABEL_PX = 64;
const AXIS_PX = 54;
const END_LABEL_PX = 144;
const END_LABEL_CHARS = 19;
const LINE_PX = 15;
const TICK = { fontSize: 12, fill: "var(--ink-faint)" };

/** The drawn part of a time chart; loaded with the chart library when the first chart is shown. */
export default function TimePlot({ width, height, places, series, format, axisFormat = compactCount, kind, notes, active = null, hasEndLabels = false, onPick }: Props) {
  // A line that is not over yet goes on dotted: it is drawn twice, solid up to the last whole place, dotted over the rest.
  const open = places.findIndex((place) => place.isIncomplete);
  const isOpen = (at: number): boolean => open !== -1 && at >= open;
  const rows = places.map((_place, at) => ({ place: at, ...Object.fromEntries(series.flatMap((one, index) => valuesAt(one, index, at))) }));
  function valuesAt(one: Series, index: number, at: number): [string, number | readonly [number, number] | null][] {
    const value = one.values[at] ?? null;
    if (one.isBefore) return [[`s${index}`, value], [`b${index}`, one.band?.[at] ?? null]];
    return [
      [`s${index}`, isOpen(at) ? null : value],
      [`d${index}`, isOpen(at) || (kind !== "bar" && open !== -1 && at === open - 1) ? value : null],
    ];
  }
  const every = Math.max(1, Math.ceil(places.length / Math.max(2, Math.floor(width / LABEL_PX))));
  const greatest = Math.max(...extent(series, kind === "bar").map(Math.abs));
  const dashOf = (one: Series): string | undefined => (one.isBefore ? BEFORE_DASH : hasEndLabels ? undefined : seriesDash(one.color));
  return (
    <ComposedChart
      width={width}
      height={height}
      data={rows}
      margin={{ top: 10, right: hasEndLabels ? END_LABEL_PX : 20, bottom: 0, left: 0 }}
      accessibilityLayer={false}
      barCategoryGap="20%"
      {...(onPick && { onClick: (at: MouseHandlerDataParam) => onPick(Number(at.activeTooltipIndex)), className: "cursor-pointer" })}
    >
      <CartesianGrid vertical={false} stroke="var(--line)" />
      <XAxis dataKey="place" tickFormatter={(at: number) => places[at]?.label ?? ""} interval={every - 1} tickLine={false} axisLine={false} tick={TICK} minTickGap={8} />
      <YAxis tickFormatter={(value: number) => axisFormat(value, greatest)} tickLine={false} axisLine={false} tick={TICK} width={AXIS_PX} {...valueTicks(series, kind === "bar")} />
      <Tooltip
        key={active ?? "free"}
        {...(active !== null && { active: true, defaultIndex: active })}
        content={(props: TooltipContentProps) => <Table {...props} places={places} series={series} format={format} notes={notes} />}
        cursor={kind === "bar" ? { fill: "var(--hover)", opacity: 0.5 } : { stroke: "var(--line-strong)", strokeDasharray: "3 3" }}
        isAnimationActive={false}
        offset={16}
        wrapperStyle={{ zIndex: 10 }}
      />
      {active !== null && <ReferenceLine x={active} stroke="var(--ring)" strokeWidth={1.5} />}
      {notes.map((note) => (
        <ReferenceLine key={`${note.at} ${note.text}`} x={note.at} stroke="var(--pulse)" strokeDasharray="3 3" label={{ value: "●", position: "top", offset: 0, fill: "var(--pulse)", fontSize: 10 }} />
      ))}
      {series.map((one, index) => one.band && <Area key={`${one.key} band`} dataKey={`b${index}`} type="linear" stroke="none" fill={seriesColor(one.color)} fillOpacity={0.09} activeDot={false} tooltipType="none" isAnimationActive={false} />)}
      {kind === "bar" && series.flatMap((one, index) => barsOf(one, index))}
      {kind !== "bar" && series.flatMap((one, index) => linesOf(one, index, kind === "area", places.length === 1, dashOf(one)))}
      {hasEndLabels && <EndLabels series={series} />}
    </ComposedChart>
  );
}

function barsOf(one: Series, index: number) {
  const color = seriesColor(one.color);
  const same = { stackId: one.stack ?? one.key, maxBarSize: 40, isAnimationActive: false, fill: color, ...(one.stack && { stroke: "var(--surface)" }) };
  const radius: [number, number, number, number] = one.stack ? [0, 0, 0, 0] : [3, 3, 0, 0];
  const open = { fillOpacity: 0.25, stroke: color, strokeDasharray: "3 3" };
  return [
    <Bar key={one.key} {...same} dataKey={`s${index}`} fillOpacity={one.isBefore ? 0.35 : 1} radius={radius} />,
    ...(one.isBefore ? [] : [<Bar key={`${one.key} open`} {...same} {...open} dataKey={`d${index}`} radius={radius} tooltipType="none" />]),
  ];
}

function linesOf(one: Series, index: number, isArea: boolean, hasDot: boolean, pattern: string | undefined) {
  const color = seriesColor(one.color);
  const same = { stroke: color, isAnimationActive: false, type: "linear" as const };
  if (one.isBefore) return [<Line key={one.key} {...same} dataKey={`s${index}`} strokeWidth={1.5} strokeOpacity={0.6} strokeDasharray={BEFORE_DASH} dot={hasDot} activeDot={false} />];
  return [
    isArea ? (
      <Area key={one.key} {...same} dataKey={`s${index}`} strokeWidth={2} fill={color} fillOpacity={0.1} dot={hasDot} />
    ) : (
      <Line key={one.key} {...same} dataKey={`s${index}`} strokeWidth={2} {...(pattern && { strokeDasharray: pattern })} dot={hasDot} />
    ),
    <Line key={`${one.key} open`} {...same} dataKey={`d${index}`} strokeWidth={2} strokeDasharray={DOTTED} strokeLinecap="round" dot={hasDot} tooltipType="none" />,
  ];
}

/** The name of each line where it ends, moved apart where lines end together. */
function EndLabels({ series }: { series: readonly Series[] }) {
  const scale = useYAxisScale();
  const plot = usePlotArea();
  if (!scale || !plot) return null;
  const ends = series.flatMap((one) => {
    const last = one.isBefore ? undefined : one.values.findLast((value) => value !== null);
    const y = last === null || last === undefined ? undefined : scale(last);
    return y === undefined ? [] : [{ one, y }];
  });
  const places = spread(ends.map((end) => end.y), LINE_PX, plot.y + 4, plot.y + plot.height);
  return (
    <g aria-hidden>
      {ends.map(({ one }, index) => (
        <text key={one.key} x={plot.x + plot.width + 10} y={(places[index] ?? 0) + 4} fontSize="12" fontWeight="500" fill="var(--ink-soft)">
          <tspan fill={seriesColor(one.color)}>{"● "}</tspan>
          {cut(one.name)}
        </text>
      ))}
    </g>
  );
}

const cut = (name: string): string => (name.length > END_LABEL_CHARS ? `${[...name.slice(0, 2 * END_LABEL_CHARS)].slice(0, END_LABEL_CHARS - 1).join("")}…` : name);

function Table({ active, label, places, series, format, notes }: TooltipContentProps & Pick<Props, "places" | "series" | "format" | "notes">) {
  const at = Number(label);
  const place = places[at];
  if (!active || !place) return null;
  const lines = series.map((one) => ({ key: one.key, name: one.name, value: shown(one, at, format), color: seriesColor(one.color) }));
  const said = notes.filter((note) => note.at === at).map((note) => note.text);
  return <ChartTooltip title={place.isIncomplete ? `${place.title} (${t.report.incomplete})` : place.title} lines={lines} note={said.length > 0 && said.join(" · ")} />;
}
