/** The links as rows, for keyboards and for those who do not see the diagram. */
import { columnOf } from "./flow-layout";
import type { FlowNode, PathsAnswer } from "./queries";
import { words } from "./words";

interface FlowRow {
  key: string;
  step: string;
  from: string;
  to: string;
  isFromOurs: boolean;
  isToOurs: boolean;
  value: number;
  /** Percent of those in the step before. */
  share: number;
}

export const nodeName = (node: Pick<FlowNode, "kind" | "name">): string => (node.kind === "value" ? node.name : words.kinds[node.kind]);

/** "Step 2"; counted back from the end where the way is followed backward. */
export const stepName = (depth: number, direction: PathsAnswer["direction"]): string => (direction === "backward" ? words.before(depth - 1) : words.step(depth));

export function rowsOf(answer: Pick<PathsAnswer, "nodes" | "links" | "direction">): FlowRow[] {
  const nodes = new Map(answer.nodes.map((node) => [node.id, node]));
  const columns = Math.max(1, ...answer.nodes.map((node) => node.depth));
  const rows = answer.links.flatMap((link) => {
    const source = nodes.get(link.source);
    const target = nodes.get(link.target);
    if (!source || !target) return [];
    const column = columnOf(source.depth, columns, answer.direction);
    const row: FlowRow = {
      key: `${link.source} ${link.target}`,
      step: stepName(source.depth, answer.direction),
      from: nodeName(source),
      to: nodeName(target),
      isFromOurs: source.kind !== "value",
      isToOurs: target.kind !== "value",
      value: link.value,
      share: source.entities === 0 ? 0 : (100 * link.value) / source.entities,
    };
    return [{ column, row }];
  });
  return rows.sort((one, two) => one.column - two.column || two.row.value - one.row.value).map(({ row }) => row);
}
