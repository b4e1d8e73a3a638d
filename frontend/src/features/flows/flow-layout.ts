/** Where the nodes and strands of a Sankey diagram lie, in pixels. */
import type { FlowLink, FlowNode, PathsAnswer } from "./queries";

const FLOW_PX = 300;
const SLOT_PX = 40;
const GAP_PX = 10;
const HEAD_PX = 28;
const BAR_PX = 10;
const PITCH_MIN_PX = 168;
const THINNEST_PX = 1.5;

export interface PlacedNode extends FlowNode {
  column: number;
  x: number;
  y: number;
  /** Of the bar, by how many are in it. */
  height: number;
  /** Of the room it takes: never so little that its name would not fit. */
  slot: number;
}

export interface Strand extends FlowLink {
  path: string;
  width: number;
  isEnd: boolean;
}

export interface FlowLayout {
  width: number;
  height: number;
  pitch: number;
  columns: number;
  nodes: PlacedNode[];
  strands: Strand[];
}

const RANK = { value: 0, other: 1, entry: 2, exit: 2 } as const;

/** Backward answers count their steps from the end: the end stands at the right. */
export function columnOf(depth: number, columns: number, direction: PathsAnswer["direction"]): number {
  return direction === "backward" ? columns - depth : depth - 1;
}

export function layoutOf(answer: Pick<PathsAnswer, "nodes" | "links" | "entities" | "direction">, width: number): FlowLayout {
  const columns = Math.max(1, ...answer.nodes.map((node) => node.depth));
  const pitch = Math.max(PITCH_MIN_PX, Math.floor(width / columns));
  const scale = FLOW_PX / Math.max(1, answer.entities);
  const placed = new Map<number, PlacedNode>();
  let height = 0;
  for (let column = 0; column < columns; column += 1) {
    const here = answer.nodes.filter((node) => columnOf(node.depth, columns, answer.direction) === column);
    here.sort((one, two) => RANK[one.kind] - RANK[two.kind] || two.entities - one.entities || one.id - two.id);
    let y = HEAD_PX;
    for (const node of here) {
      const bar = Math.max(THINNEST_PX, node.entities * scale);
      const slot = Math.max(SLOT_PX, bar);
      placed.set(node.id, { ...node, column, x: column * pitch, y, height: bar, slot });
      y += slot + GAP_PX;
    }
    height = Math.max(height, y);
  }
  return { width: columns * pitch, height, pitch, columns, nodes: [...placed.values()], strands: strandsOf(answer.links, placed, scale) };
}

/** Strands leave and reach a bar in the order of what they lead to, so that they cross as little as they can. */
function strandsOf(links: readonly FlowLink[], nodes: ReadonlyMap<number, PlacedNode>, scale: number): Strand[] {
  const y = (id: number): number => nodes.get(id)?.y ?? 0;
  const known = links.filter((link) => nodes.has(link.source) && nodes.has(link.target));
  const stack = (side: "source" | "target", other: "source" | "target"): Map<FlowLink, number> => {
    const used = new Map<number, number>();
    const tops = new Map<FlowLink, number>();
    for (const link of [...known].sort((one, two) => y(one[other]) - y(two[other]))) {
      const top = used.get(link[side]) ?? y(link[side]);
      tops.set(link, top);
      used.set(link[side], top + link.value * scale);
    }
    return tops;
  };
  const leave = stack("source", "target");
  const reach = stack("target", "source");
  return known.map((link) => {
    const source = nodes.get(link.source) as PlacedNode;
    const target = nodes.get(link.target) as PlacedNode;
    const width = Math.max(THINNEST_PX, link.value * scale);
    const isEnd = target.kind === "exit" || source.kind === "entry";
    return { ...link, width, isEnd, path: ribbon(source.x + BAR_PX, leave.get(link) ?? 0, target.x, reach.get(link) ?? 0, width) };
  });
}

function ribbon(x0: number, y0: number, x1: number, y1: number, width: number): string {
  const bend = (x0 + x1) / 2;
  const n = (value: number): string => value.toFixed(1);
  return `M${n(x0)},${n(y0)} C${n(bend)},${n(y0)} ${n(bend)},${n(y1)} ${n(x1)},${n(y1)} V${n(y1 + width)} C${n(bend)},${n(y1 + width)} ${n(bend)},${n(y0 + width)} ${n(x0)},${n(y0 + width)} Z`;
}
