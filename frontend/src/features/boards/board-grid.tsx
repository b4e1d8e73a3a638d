import "react-grid-layout/css/styles.css";
import "./board-grid.css";
import type { ReactNode } from "react";
import { GridLayout, type Layout } from "react-grid-layout";
import { COLUMNS, GAP_PX, HEIGHT_MAX, HEIGHT_MIN, ROW_PX, WIDTH_MIN, type Placed } from "./layout-math";

// The drag library would add a style tag, which the security policy refuses; it does not where it finds this name.
const STYLE_ID = "react-draggable-style-el";
if (!document.getElementById(STYLE_ID)) {
  const taken = document.createElement("meta");
  taken.id = STYLE_ID;
  document.head.append(taken);
}

interface Props {
  width: number;
  cards: readonly Placed[];
  isEditable: boolean;
  onPlaces: (places: Placed[]) => void;
  children: (id: string) => ReactNode;
}

/** Cards that are dragged by their handle and resized at their corner; what it says of places is saved when the mouse lets go. */
export default function BoardGrid({ width, cards, isEditable, onPlaces, children }: Props) {
  const layout = cards.map((card) => ({ i: card.id, x: card.x, y: card.y, w: card.w, h: card.h, minW: WIDTH_MIN, minH: HEIGHT_MIN, maxH: HEIGHT_MAX }));
  const done = (next: Layout): void => onPlaces(next.map(({ i, x, y, w, h }) => ({ id: i, x, y, w, h })));
  return (
    <GridLayout
      width={width}
      layout={layout}
      gridConfig={{ cols: COLUMNS, rowHeight: ROW_PX, margin: [GAP_PX, GAP_PX], containerPadding: [0, 0] }}
      dragConfig={{ enabled: isEditable, handle: ".board-handle", threshold: 3 }}
      resizeConfig={{ enabled: isEditable, handles: ["se"] }}
      onDragStop={done}
      onResizeStop={done}
    >
      {cards.map((card) => (
        <div key={card.id}>{children(card.id)}</div>
      ))}
    </GridLayout>
  );
}
