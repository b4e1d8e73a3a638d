interface Props {
  values: readonly (number | null)[];
  width?: number;
  height?: number;
  /** What it shows, in words; without it the drawing is decoration beside a number. */
  label?: string;
}

/** A line without axes, small enough for a card or a row. */
export function Sparkline({ values, width = 96, height = 28, label }: Props) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return <svg aria-hidden width={width} height={height} />;
  const least = Math.min(...known);
  const reach = Math.max(...known) - least || 1;
  const x = (at: number): number => 1 + (at / (values.length - 1)) * (width - 2);
  const y = (value: number): number => height - 3 - ((value - least) / reach) * (height - 6);
  const points = values.flatMap((value, at) => (value === null ? [] : [`${x(at).toFixed(1)},${y(value).toFixed(1)}`]));
  const last = points.at(-1)?.split(",") ?? [];
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}>
      <polyline points={points.join(" ")} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round" />
      <circle cx={last[0]} cy={last[1]} r="2" fill="var(--series-1)" />
    </svg>
  );
}
