import { useId } from "react";
import { share, type Stage } from "./funnel-math";

const WIDTH = 300;
const HEIGHT = 56;

/** A funnel at a glance, drawn like the large chart; decoration beside numbers that say the same. */
export function MiniBars({ stages }: { stages: readonly Pick<Stage, "order" | "users">[] }) {
  const id = useId().replace(/[^\w-]/g, "");
  const most = Math.max(1, ...stages.map((stage) => stage.users));
  const pitch = WIDTH / Math.max(1, stages.length - 0.42);
  const bar = pitch * 0.58;
  const tops = stages.map((stage) => HEIGHT - Math.max(1, (share(stage.users, most) / 100) * HEIGHT));
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-14 w-full">
      <linearGradient id={id} x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="var(--bar-from)" />
        <stop offset="1" stopColor="var(--bar-to)" />
      </linearGradient>
      {stages.map((stage, index) => {
        const x = index * pitch;
        const top = tops[index] ?? HEIGHT;
        const next = tops[index + 1];
        return (
          <g key={stage.order}>
            {next !== undefined && (
              <path d={`M${x + bar},${top} L${x + pitch},${next} V${HEIGHT} H${x + bar} Z`} fill="var(--bar-flow)" />
            )}
            <rect x={x} y={top} width={bar} height={HEIGHT - top} fill={`url(#${id})`} />
          </g>
        );
      })}
    </svg>
  );
}
