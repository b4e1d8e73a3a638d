import { COLUMNS, type Placed } from "./layout-math";

const WIDTH = 240;
const ROWS_MIN = 8;
const ROWS_MAX = 14;
const ROW = 8;

/** Where the cards of a board stand; decoration beside its name. */
export function MiniBoard({ cards }: { cards: readonly Placed[] }) {
  const rows = Math.min(ROWS_MAX, Math.max(ROWS_MIN, ...cards.map((card) => card.y + card.h)));
  const unit = WIDTH / COLUMNS;
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${rows * ROW}`} className="h-24 w-full rounded-lg bg-sunken" preserveAspectRatio="xMidYMin slice">
      {cards.map((card) => (
        <rect key={card.id} x={card.x * unit + 3} y={card.y * ROW + 3} width={Math.max(1, card.w * unit - 6)} height={Math.max(1, card.h * ROW - 4)} rx="3" fill="var(--bar-flow)" />
      ))}
    </svg>
  );
}
