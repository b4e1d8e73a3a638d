import { count, exactPercent } from "@/lib/format";
import { t } from "@/lib/strings";
import { ChartTooltip } from "@/ui/chart/chart-tooltip";
import { useId } from "react";
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis, YAxis, type BarShapeProps, type TooltipContentProps } from "recharts";
import type { DrawnBefore, StageBefore } from "./compare-math";
import type { StageRow } from "./funnel-math";
import { w } from "./words";

const CHART_HEIGHT = 248;
const TOP = 8;
const BAR_SHARE = 0.56;
const BAR_MAX = 148;
/** The line of the days before stands out of its bar, so that it is seen where it lies on the bar's top. */
const LINE_OUT = 10;
const GRID = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  width: number;
  rows: readonly StageRow[];
  /** The days compared with. */
  before?: DrawnBefore | null;
  selected: number | null;
  onSelect: (order: number) => void;
}

/**
 * One column for each stage, bars on one baseline. Between two bars the people who went on narrow like a stream;
 * those who were lost fade out above it. Hatched is who may still get there; a line across is the days compared with.
 */
export default function FunnelChart({ width, rows, before = null, selected, onSelect }: Props) {
  const id = useId().replace(/[^\w-]/g, "");
  const most = Math.max(1, ...rows.map((row) => row.users + row.open));
  // Not of a bar's own height, which is nothing where nobody got to.
  const whole = ((CHART_HEIGHT - TOP) * (rows[0]?.users ?? 0)) / most;
  const drawn = (order: number) => ({ whole, before: before?.stages[order - 1] ?? null });
  const shape = (props: BarShapeProps) => {
    const row = rows[props.index];
    return row ? <StageShape {...props} row={row} {...drawn(row.order)} id={id} isFaded={selected !== null && selected !== row.order} /> : <g />;
  };
  return (
    <BarChart
      width={width}
      height={CHART_HEIGHT}
      data={[...rows]}
      margin={{ top: TOP, right: 0, bottom: 0, left: 0 }}
      barCategoryGap={0}
      accessibilityLayer={false}
    >
      <defs>
        <linearGradient id={`${id}-bar`} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="var(--bar-from)" />
          <stop offset="1" stopColor="var(--bar-to)" />
        </linearGradient>
        <linearGradient id={`${id}-lost`} x1="0" y1="0" x2="1" y2="0">
          <stop offset="0" stopColor="var(--bar-lost)" />
          <stop offset="1" stopColor="var(--bar-lost)" stopOpacity="0" />
        </linearGradient>
        <pattern id={`${id}-open`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="2" height="6" fill="var(--bar-from)" />
        </pattern>
      </defs>
      <CartesianGrid vertical={false} stroke="var(--line)" strokeDasharray="2 4" />
      <XAxis dataKey="order" hide />
      <YAxis hide domain={[0, most]} ticks={GRID.map((part) => part * most)} />
      <Tooltip content={(props) => <Table {...props} before={before} />} cursor={{ fill: "var(--hover)", opacity: 0.5 }} isAnimationActive={false} offset={16} />
      <Bar
        dataKey="users"
        shape={shape}
        isAnimationActive={false}
        onClick={(_bar, index) => {
          const row = rows[index];
          if (row) onSelect(row.order);
        }}
      />
    </BarChart>
  );
}

type ShapeProps = BarShapeProps & { row: StageRow; before: StageBefore | null; whole: number; id: string; isFaded: boolean };

function StageShape({ x, y, width, height, row, before, whole, id, isFaded }: ShapeProps) {
  const bar = Math.min(width * BAR_SHARE, BAR_MAX);
  const base = y + height;
  const kept = row.users > 0 && row.wentOn !== null ? Math.min(1, row.wentOn / row.users) : 0;
  const nextTop = base - height * kept;
  const [from, to] = [x + bar, x + width];
  const openHeight = row.users > 0 ? (height * row.open) / row.users : 0;
  return (
    <g opacity={isFaded ? 0.45 : 1} className="cursor-pointer transition-opacity duration-150">
      {row.wentOn !== null && height > 0 && (
        <>
          <path d={`M${from},${y} L${to + bar * 0.9},${y} L${to + bar * 0.9},${nextTop} L${to},${nextTop} Z`} fill={`url(#${id}-lost)`} />
          <path d={`M${from},${y} L${to},${nextTop} L${to},${base} L${from},${base} Z`} fill="var(--bar-flow)" />
        </>
      )}
      {openHeight >= 1 && (
        <path d={topRounded(x + 0.5, y - openHeight, bar - 1, openHeight)} fill={`url(#${id}-open)`} stroke="var(--bar-from)" strokeOpacity={0.6} />
      )}
      <path d={topRounded(x, y, bar, Math.max(height, row.users > 0 ? 2 : 0), openHeight >= 1)} fill={`url(#${id}-bar)`} />
      <path d={`M${x},${base} L${x + bar},${base}`} stroke="var(--line-strong)" strokeWidth={1} />
      {before && <LineAcross x={x} base={base} bar={bar} whole={whole} before={before} />}
    </g>
  );
}

/** `whole` is the height of everybody who entered. */
function LineAcross({ x, base, bar, whole, before }: { x: number; base: number; bar: number; whole: number; before: StageBefore }) {
  const [y, highest] = [base - (whole * before.share) / 100, base - (whole * before.highest) / 100];
  const line = `M${x},${y} H${x + bar + LINE_OUT}`;
  return (
    <g data-testid="before">
      <path d={line} stroke="var(--surface)" strokeWidth={4} />
      <path d={line} stroke="var(--ink)" strokeWidth={2} />
      {y - highest >= 1 && <path d={`M${x + bar + LINE_OUT / 2},${y} V${highest}`} stroke="var(--ink)" strokeWidth={2} strokeDasharray="2 3" />}
    </g>
  );
}

function topRounded(x: number, y: number, width: number, height: number, isFlat = false): string {
  if (height <= 0) return "";
  const r = isFlat ? 0 : Math.min(6, height, width / 2);
  return `M${x},${y + height} L${x},${y + r} Q${x},${y} ${x + r},${y} L${x + width - r},${y} Q${x + width},${y} ${x + width},${y + r} L${x + width},${y + height} Z`;
}

function Table({ active, payload, before }: TooltipContentProps & { before: DrawnBefore | null }) {
  const row = payload[0]?.payload as StageRow | undefined;
  if (!active || !row) return null;
  const then = before?.stages[row.order - 1];
  const words = t.funnel.tooltip;
  const lines = [
    { key: "people", name: words.people, value: count(row.users) },
    ...(row.open > 0 ? [{ key: "open", name: w.chart.hatched, value: count(row.open) }] : []),
    { key: "entered", name: words.ofEntered, value: exactPercent(row.conversion_rate) },
    ...(row.order > 1
      ? [
          { key: "previous", name: words.ofPrevious, value: exactPercent(row.fromPrevious) },
          { key: "lost", name: words.lost, value: count(row.left) },
          ...(row.waiting > 0 ? [{ key: "waiting", name: w.table.waiting, value: count(row.waiting) }] : []),
        ]
      : []),
    ...(then
      ? [
          { key: "peopleBefore", name: w.chart.beforePeople, value: count(then.users) },
          { key: "rateBefore", name: w.chart.beforeRate, value: exactPercent(then.share) },
        ]
      : []),
  ];
  return <ChartTooltip title={row.stage_name} lines={lines} />;
}
