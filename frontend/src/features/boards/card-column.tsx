import { cn } from "@/lib/class-names";
import type { ReactNode } from "react";
import { heightPx, pairs, type Placed } from "./layout-math";

interface Props<Card> {
  /** In their order. */
  cards: readonly Card[];
  draw: (card: Card) => ReactNode;
}

/** Cards where there is no room for the grid: one below the other, small ones in pairs. */
export function CardColumn<Card extends Placed>({ cards, draw }: Props<Card>) {
  const paired = pairs(cards);
  return (
    <ul className="grid grid-cols-2 gap-4">
      {cards.map((card) => (
        <li key={card.id} className={cn("min-w-0", !paired.has(card.id) && "col-span-2")} style={{ height: heightPx(card.h) }}>
          {draw(card)}
        </li>
      ))}
    </ul>
  );
}
