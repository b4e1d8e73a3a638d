import { count, exactPercent } from "@/lib/format";
import { t } from "@/lib/strings";
import { useId } from "react";
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis, YAxis, type BarShapeProps, type TooltipContentProps } from "recharts";
import type { StageRow } from "./funnel-math";

const CHART_HEIGHT = 248;
const BAR_SHARE = 0.56;
const BAR_MAX = 148;
const GRID = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  width: number;
  rows: readonly StageRow[];
  selected: number | null;
  onSelect: (order: number) => void;
}

/**
 * One column for each stage, bars on one baseline. Between two bars the people who went on narrow like a stream;
 * those who were lost fade out above it.
 */
export default function FunnelChart({ width, rows, selected, onSelect }: Props) {
  const id = useId().replace(/[^\w-]/g, "");
  const most = Math.max(1, ...rows.map((row) => row.users));
  const shape = (props: BarShapeProps) => {
    const row = rows[props.index];
    return row ? <StageShape {...props} row={row} id={id} isFaded={selected !== null && selected !== row.order} /> : <g />;
  };
  return (
    <BarChart
      width={width}
      height={CHART_HEIGHT}
      data={[...rows]}
      margin={{ top: 8, right: 0, bottom: 0, left: 0 }}
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
      </defs>
      <CartesianGrid vertical={false} stroke="var(--line)" strokeDasharray="2 4" />
      <XAxis dataKey="order" hide />
      <YAxis hide domain={[0, most]} ticks={GRID.map((part) => part * most)} />
      <Tooltip content={Table} cursor={{ fill: "var(--hover)", opacity: 0.5 }} isAnimationActive={false} offset={16} />
      <Bar
        dataKey="users"
        shape={shape}
        animationDuration={180}
        onClick={(_bar, index) => {
          const row = rows[index];
          if (row) onSelect(row.order);
        }}
      />
    </BarChart>
  );
}

type ShapeProps = BarShapeProps & { row: StageRow; id: string; isFaded: boolean };

function StageShape({ x, y, width, height, row, id, isFaded }: ShapeProps) {
  const bar = Math.min(width * BAR_SHARE, BAR_MAX);
  const base = y + height;
  const kept = row.users > 0 && row.wentOn !== null ? Math.min(1, row.wentOn / row.users) : 0;
  const nextTop = base - height * kept;
  const [from, to] = [x + bar, x + width];
  return (
    <g opacity={isFaded ? 0.45 : 1} className="cursor-pointer transition-opacity duration-150">
      {row.wentOn !== null && height > 0 && (
        <>
          <path d={`M${from},${y} L${to + bar * 0.9},${y} L${to + bar * 0.9},${nextTop} L${to},${nextTop} Z`} fill={`url(#${id}-lost)`} />
          <path d={`M${from},${y} L${to},${nextTop} L${to},${base} L${from},${base} Z`} fill="var(--bar-flow)" />
        </>
      )}
      <path d={topRounded(x, y, bar, Math.max(height, row.users > 0 ? 2 : 0))} fill={`url(#${id}-bar)`} />
      <path d={`M${x},${base} L${x + bar},${base}`} stroke="var(--line-strong)" strokeWidth={1} />
    </g>
  );
}

function topRounded(x: number, y: number, width: number, height: number): string {
  if (height <= 0) return "";
  const r = Math.min(6, height, width / 2);
  return `M${x},${y + height} L${x},${y + r} Q${x},${y} ${x + r},${y} L${x + width - r},${y} Q${x + width},${y} ${x + width},${y + r} L${x + width},${y + height} Z`;
}

function Table({ active, payload }: TooltipContentProps) {
  const row = payload[0]?.payload as StageRow | undefined;
  if (!active || !row) return null;
  const words = t.funnel.tooltip;
  const lines: [string, string][] = [
    [words.people, count(row.users)],
    [words.ofEntered, exactPercent(row.conversion_rate)],
    ...(row.order > 1
      ? ([
          [words.ofPrevious, exactPercent(row.fromPrevious)],
          [words.lost, count(row.lost)],
        ] satisfies [string, string][])
      : []),
  ];
  return (
    <div className="max-w-72 rounded-lg border border-line bg-surface px-3 py-2.5 text-sm shadow-pop">
      <p dir="auto" className="stranger line-clamp-2 font-semibold">
        {row.stage_name}
      </p>
      <dl className="mt-1.5 grid grid-cols-[auto_auto] gap-x-6 gap-y-0.5">
        {lines.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-soft">{name}</dt>
            <dd className="figures text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
