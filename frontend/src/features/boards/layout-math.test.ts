import { expect, test } from "vitest";
import { COLUMNS, freePlace, inOrder, pairs, settle, step, stepInOrder, withPlaces, type Placed, type Step } from "./layout-math";

const at = (id: string, x: number, y: number, w: number, h: number): Placed => ({ id, x, y, w, h });
const text = (cards: readonly Placed[]): string[] => inOrder(cards).map((card) => `${card.id} ${card.x},${card.y} ${card.w}x${card.h}`);
const PAIR = [at("a", 0, 0, 6, 4), at("b", 6, 0, 6, 4)];
const TOWER = [at("a", 0, 0, 6, 2), at("b", 0, 2, 6, 3), at("c", 6, 0, 6, 4)];

test.each<[string, Placed[], string, Step, string[]]>([
  ["past the edge stays", PAIR, "a", "left", ["a 0,0 6x4", "b 6,0 6x4"]],
  ["right pushes down what is there", PAIR, "a", "right", ["a 1,0 6x4", "b 6,4 6x4"]],
  ["wider at the right edge grows to the left", [at("b", 6, 0, 6, 4)], "b", "wider", ["b 5,0 7x4"]],
  ["wider pushes the neighbour down", PAIR, "a", "wider", ["a 0,0 7x4", "b 6,4 6x4"]],
  ["narrower", PAIR, "b", "narrower", ["a 0,0 6x4", "b 6,0 5x4"]],
  ["not narrower than two columns", [at("a", 0, 0, 2, 2)], "a", "narrower", ["a 0,0 2x2"]],
  ["taller pushes what is below", TOWER, "a", "taller", ["a 0,0 6x3", "c 6,0 6x4", "b 0,3 6x3"]],
  ["shorter lets it rise", TOWER, "b", "shorter", ["a 0,0 6x2", "c 6,0 6x4", "b 0,2 6x2"]],
  ["down changes places", TOWER, "a", "down", ["b 0,0 6x3", "c 6,0 6x4", "a 0,3 6x2"]],
  ["up changes places", TOWER, "b", "up", ["b 0,0 6x3", "c 6,0 6x4", "a 0,3 6x2"]],
  ["nothing below: stays", TOWER, "b", "down", ["a 0,0 6x2", "c 6,0 6x4", "b 0,2 6x3"]],
  ["of no card: stays", TOWER, "z", "down", ["a 0,0 6x2", "c 6,0 6x4", "b 0,2 6x3"]],
])("%s", (_why, cards, id, kind, expected) => expect(text(step(cards, id, kind))).toEqual(expected));

test.each<[string, string, string]>([
  ["small ones stand two in a row", "a3 b3 c6 d3 e3", "abde"],
  ["one without a neighbour has its own row", "a3 b3 c3 d8 e3", "ab"],
  ["tall and wide ones are never small", "a4 b4 c8 d8", ""],
])("in a column %s", (_why, given, expected) => {
  const cards = given.split(" ").map((one, y) => at(one.charAt(0), 0, y, Number(one.charAt(1)), 2));
  expect([...pairs(cards)].join("")).toBe(expected);
  expect(pairs(cards.map((card) => ({ ...card, h: 3 }))).size).toBe(0);
});

test("any steps keep cards apart and on the grid", () => {
  const kinds: Step[] = ["left", "right", "up", "down", "wider", "narrower", "taller", "shorter"];
  let cards = [...TOWER, at("d", 6, 4, 3, 2), at("e", 9, 4, 3, 5)];
  let seed = 7;
  for (let turn = 0; turn < 500; turn += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    cards = step(cards, "abcde"[seed % 5] ?? "a", kinds[Math.floor(seed / 5) % 8] ?? "left");
    const cells = cards.flatMap((card) => Array.from({ length: card.w * card.h }, (_none, cell) => `${card.x + (cell % card.w)},${card.y + Math.floor(cell / card.w)}`));
    expect(new Set(cells).size).toBe(cells.length);
    expect(cards.every((card) => card.x >= 0 && card.y >= 0 && card.x + card.w <= COLUMNS)).toBe(true);
  }
});

test("a free place is the first that is large enough", () => {
  expect(freePlace([], 6, 4)).toEqual({ x: 0, y: 0 });
  expect(freePlace([at("a", 0, 0, 6, 4)], 6, 4)).toEqual({ x: 6, y: 0 });
  expect(freePlace(PAIR, 4, 4)).toEqual({ x: 0, y: 4 });
});

test("places of a grid are taken over, and nothing else", () => {
  const cards = [{ ...at("a", 0, 0, 6, 4), title: "kept" }];
  expect(withPlaces(cards, [at("a", 9, 3, 6, 40), at("z", 0, 0, 1, 1)])).toEqual([{ id: "a", title: "kept", x: 6, y: 0, w: 6, h: 24 }]);
  expect(text(settle([at("a", 0, 0, 6, 2), at("b", 3, 1, 6, 2)]))).toEqual(["a 0,0 6x2", "b 3,2 6x2"]);
});

test("in a column each step changes the order of two neighbours, and the steps back give it back", () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 300; round += 1) {
    const cards = settle(Array.from({ length: 6 }, (_none, at) => {
      const w = 2 + Math.floor(random() * 11);
      return { id: String(at), w, h: 2 + Math.floor(random() * 5), x: Math.floor(random() * (COLUMNS - w + 1)), y: Math.floor(random() * 12) };
    }));
    const names = (all: typeof cards): string[] => inOrder(all).map((card) => card.id);
    const [first = "", second = ""] = names(cards).slice(2);
    const after = stepInOrder(cards, second, "up");
    expect(names(after).indexOf(second)).toBeLessThan(names(after).indexOf(first));
    expect(stepInOrder(cards, first, "down")).toEqual(after);
    expect(settle(after)).toEqual(after);
  }
  const top = [{ id: "a", x: 0, y: 0, w: 6, h: 3 }];
  expect(stepInOrder(top, "a", "up")).toEqual(top);
  expect(stepInOrder(top, "a", "down")).toEqual(top);
});
