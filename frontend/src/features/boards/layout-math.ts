/** Cards on a grid of 12 columns: moved, resized, and let fall into place so that none overlap. */

export const COLUMNS = 12;
export const HEIGHT_MAX = 24;
export const WIDTH_MIN = 2;
export const HEIGHT_MIN = 2;
export const CARDS_MAX = 40;
export const ROW_PX = 56;
export const GAP_PX = 16;
const SMALL = [3, 2] as const;

export interface Placed {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

export type Step = "left" | "right" | "up" | "down" | "wider" | "narrower" | "taller" | "shorter";

export const heightPx = (rows: number): number => rows * ROW_PX + (rows - 1) * GAP_PX;

const overlaps = (one: Placed, two: Placed): boolean => one.x < two.x + two.w && two.x < one.x + one.w && one.y < two.y + two.h && two.y < one.y + one.h;

export const inOrder = <Card extends Placed>(cards: readonly Card[]): Card[] => [...cards].sort((one, two) => one.y - two.y || one.x - two.x);

/** Of cards in a column, in their order: those that are small enough to stand two in a row, and have another beside them. */
export function pairs(cards: readonly Placed[]): Set<string> {
  const paired = new Set<string>();
  let left: Placed | null = null;
  for (const card of cards) {
    const isSmall = card.w <= SMALL[0] && card.h <= SMALL[1];
    if (isSmall && left) paired.add(left.id).add(card.id);
    left = isSmall && !left ? card : null;
  }
  return paired;
}

/** Every card as high up as it can be; `first` keeps its row where another wants it, too. */
export function settle<Card extends Placed>(cards: readonly Card[], first?: string): Card[] {
  const order = [...cards].sort((one, two) => one.y - two.y || Number(two.id === first) - Number(one.id === first) || one.x - two.x);
  const placed: Card[] = [];
  for (const card of order) {
    let y = card.y;
    const isFree = (row: number): boolean => !placed.some((other) => overlaps({ ...card, y: row }, other));
    while (!isFree(y)) y += 1;
    while (y > 0 && isFree(y - 1)) y -= 1;
    placed.push({ ...card, y });
  }
  const byId = new Map(placed.map((card) => [card.id, card]));
  return cards.map((card) => byId.get(card.id) ?? card);
}

const within = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

/** One step of a card by the keyboard; cards in its way make room. */
export function step<Card extends Placed>(cards: readonly Card[], id: string, kind: Step): Card[] {
  const card = cards.find((one) => one.id === id);
  if (!card) return [...cards];
  if (kind === "up" || kind === "down") return moveRow(cards, card, kind);
  const { x, w, h } = card;
  const next = { ...card };
  if (kind === "left") next.x = within(x - 1, 0, COLUMNS - w);
  if (kind === "right") next.x = within(x + 1, 0, COLUMNS - w);
  if (kind === "wider") next.w = within(w + 1, WIDTH_MIN, COLUMNS);
  if (kind === "narrower") next.w = within(w - 1, Math.min(w, WIDTH_MIN), COLUMNS);
  if (kind === "taller") next.h = within(h + 1, HEIGHT_MIN, HEIGHT_MAX);
  if (kind === "shorter") next.h = within(h - 1, Math.min(h, HEIGHT_MIN), HEIGHT_MAX);
  // A card that grows at the right edge grows to the left.
  next.x = Math.min(next.x, COLUMNS - next.w);
  return settle(cards.map((one) => (one.id === id ? next : one)), id);
}

/** Past the nearest card above or below that stands in the same columns. */
function moveRow<Card extends Placed>(cards: readonly Card[], card: Card, kind: "up" | "down"): Card[] {
  const inColumns = cards.filter((one) => one.id !== card.id && one.x < card.x + card.w && card.x < one.x + one.w);
  if (kind === "up") {
    const above = inColumns.filter((one) => one.y < card.y).sort((one, two) => two.y - one.y)[0];
    return settle(cards.map((one) => (one.id === card.id ? { ...card, y: above?.y ?? 0 } : one)), card.id);
  }
  const below = inColumns.filter((one) => one.y > card.y).sort((one, two) => one.y - two.y)[0];
  if (!below) return [...cards];
  // The one below goes up first, into the room that becomes free.
  return settle(cards.map((one) => (one.id === card.id ? { ...card, y: below.y + below.h } : one.id === below.id ? { ...one, y: card.y } : one)), below.id);
}

/** One step in the column of a phone: the card and the one before it, or after it, change places on the grid, too. */
export function stepInOrder<Card extends Placed>(cards: readonly Card[], id: string, kind: "up" | "down"): Card[] {
  const order = inOrder(cards);
  const at = order.findIndex((card) => card.id === id);
  const upper = order[kind === "up" ? at - 1 : at];
  const lower = order[kind === "up" ? at : at + 1];
  if (at === -1 || !upper || !lower) return [...cards];
  const moved = new Map([
    [lower.id, { ...lower, x: within(upper.x, 0, COLUMNS - lower.w), y: upper.y }],
    [upper.id, { ...upper, x: within(lower.x, 0, COLUMNS - upper.w), y: upper.y === lower.y ? lower.y : Math.max(lower.y, upper.y + 1) }],
  ]);
  const swapped = settle(cards.map((card) => moved.get(card.id) ?? card), lower.id);
  const isBefore = (all: readonly Card[]): boolean => all.findIndex((card) => card.id === lower.id) < all.findIndex((card) => card.id === upper.id);
  if (isBefore(inOrder(swapped))) return swapped;
  // A third card is in the way: the upper one goes right below the lower one, which keeps it from rising again.
  const below = { ...upper, x: within(lower.x, 0, COLUMNS - upper.w), y: lower.y + lower.h };
  return settle(cards.map((card) => (card.id === upper.id ? below : card)), upper.id);
}

/** The first free place for a card of this size, from the top left. */
export function freePlace(cards: readonly Placed[], w: number, h: number): { x: number; y: number } {
  const bottom = Math.max(0, ...cards.map((card) => card.y + card.h));
  for (let y = 0; y < bottom; y += 1) {
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      if (!cards.some((card) => overlaps({ id: "", x, y, w, h }, card))) return { x, y };
    }
  }
  return { x: 0, y: bottom };
}

/** Takes over what the grid says of places; anything else of a card stays. */
export function withPlaces<Card extends Placed>(cards: readonly Card[], places: readonly Placed[]): Card[] {
  const byId = new Map(places.map((place) => [place.id, place]));
  return settle(cards.map((card) => {
    const place = byId.get(card.id);
    if (!place) return card;
    const w = within(place.w, 1, COLUMNS);
    return { ...card, x: within(place.x, 0, COLUMNS - w), y: Math.max(0, place.y), w, h: within(place.h, 1, HEIGHT_MAX) };
  }));
}

export const samePlaces = (one: readonly Placed[], two: readonly Placed[]): boolean =>
  one.length === two.length && one.every((card) => two.some((other) => other.id === card.id && other.x === card.x && other.y === card.y && other.w === card.w && other.h === card.h));
