import { paths } from "@/app/paths";
import { cn } from "@/lib/class-names";
import { compactCount, percent } from "@/lib/format";
import { useWidth } from "@/lib/use-width";
import { Menu, MenuItem, MenuLabel } from "@/ui/menu";
import { Scroller } from "@/ui/scroller";
import { ArrowRightFromLine, ArrowRightToLine, EyeOff, List, Plus } from "lucide-react";
import { useId, useState } from "react";
import { useNavigate } from "react-router";
import { layoutOf, type FlowLayout, type PlacedNode, type Strand } from "./flow-layout";
import { nodeName, stepName } from "./flow-rows";
import { endHere, hide, startHere, TOPS, type FlowChoice } from "./flow-state";
import type { PathsAnswer } from "./queries";
import { words } from "./words";

interface Props {
  projectId: string;
  answer: PathsAnswer;
  choice: FlowChoice;
  onChange: (choice: FlowChoice) => void;
}

/** The ways as strands between bars. Each bar is a button; the same links stand in the table view. */
export function Sankey(props: Props) {
  const [width, measure] = useWidth();
  return (
    <Scroller inside="pb-2">
      <div ref={measure} role="group" aria-label={words.diagram}>
        {width !== null && <Diagram {...props} layout={layoutOf(props.answer, width)} />}
      </div>
    </Scroller>
  );
}

function Diagram({ projectId, answer, choice, onChange, layout }: Props & { layout: FlowLayout }) {
  const [near, setNear] = useState<number | null>(null);
  const pattern = useId().replace(/[^\w-]/g, "");
  const depths = [...new Map(layout.nodes.map((node) => [node.column, node.depth])).entries()];
  return (
    <div className="relative" style={{ width: layout.width, height: layout.height }}>
      {depths.map(([column, depth]) => (
        <p key={column} className="absolute top-0 text-xs font-medium text-ink-faint" style={{ left: column * layout.pitch }}>
          {depth <= answer.depth ? stepName(depth, answer.direction) : ""}
        </p>
      ))}
      <svg aria-hidden width={layout.width} height={layout.height} className="absolute inset-0">
        <EndPattern id={pattern} isLoss={answer.direction !== "backward"} />
        {layout.strands.map((strand) => (
          <Ribbon key={`${strand.source} ${strand.target}`} strand={strand} pattern={pattern} state={near === null ? "plain" : near === strand.source || near === strand.target ? "near" : "far"} />
        ))}
      </svg>
      {layout.nodes.map((node) => (
        <NodeButton
          key={node.id}
          node={node}
          answer={answer}
          width={layout.pitch - 16}
          onNear={(isNear) => setNear(isNear ? node.id : null)}
          projectId={projectId}
          choice={choice}
          onChange={onChange}
        />
      ))}
    </div>
  );
}

/** Who left, and who came in, is told by lines across, not by colour alone. To come in is no loss. */
export function EndPattern({ id, isLoss }: { id: string; isLoss: boolean }) {
  const ink = isLoss ? "var(--danger)" : "var(--ink-faint)";
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="6" height="6" fill={ink} fillOpacity="0.09" />
      <line x1="0" y1="0" x2="0" y2="6" stroke={ink} strokeOpacity="0.5" strokeWidth="1.6" />
    </pattern>
  );
}

function Ribbon({ strand, pattern, state }: { strand: Strand; pattern: string; state: "plain" | "near" | "far" }) {
  const opacity = { plain: 1, near: 1, far: 0.25 }[state];
  if (strand.isEnd) return <path d={strand.path} fill={`url(#${pattern})`} opacity={opacity} />;
  return <path d={strand.path} fill="var(--series-1)" fillOpacity={state === "near" ? 0.34 : 0.17} opacity={opacity} />;
}

interface NodeProps extends Props {
  node: PlacedNode;
  width: number;
  onNear: (isNear: boolean) => void;
}

function NodeButton({ node, answer, width, onNear, projectId, choice, onChange }: NodeProps) {
  const isOurs = node.kind !== "value";
  const isLost = node.kind === "exit";
  const name = nodeName(node);
  const amount = compactCount(node.entities);
  const near = { onMouseEnter: () => onNear(true), onMouseLeave: () => onNear(false), onFocus: () => onNear(true), onBlur: () => onNear(false) };
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          {...near}
          className="absolute flex items-start gap-1 rounded-md text-left hover:[&_span.name]:underline"
          style={{ left: node.x, top: node.y, width, height: node.slot }}
        >
          <span aria-hidden className={cn("w-2.5 shrink-0 rounded-[3px]", isLost ? "bg-danger" : node.kind !== "value" ? "bg-line-strong" : "bg-series-1")} style={{ height: node.height }} />
          <span className="min-w-0 rounded-md bg-surface/80 px-1 text-xs leading-4.5">
            <span dir="auto" title={name} className={cn("name stranger line-clamp-1 font-medium", isOurs && "italic", isLost ? "text-danger" : "text-ink")}>
              {name}
            </span>
            <span className="sr-only">{words.atStep(stepName(node.depth, answer.direction))}</span>
            <span className="figures block text-ink-soft">{`${amount} · ${percent(node.percent)}`}</span>
          </span>
        </button>
      }
    >
      <NodeActions node={node} projectId={projectId} choice={choice} onChange={onChange} />
    </Menu>
  );
}

function NodeActions({ node, projectId, choice, onChange }: Omit<Props, "answer"> & { node: PlacedNode }) {
  const navigate = useNavigate();
  const { actions } = words;
  const moreNames = TOPS.find((top) => top > choice.top);
  if (node.kind === "other") {
    return (
      <>
        <MenuLabel>{actions.many}</MenuLabel>
        {moreNames && (
          <MenuItem onSelect={() => onChange({ ...choice, top: moreNames })}>
            <Plus aria-hidden />
            {actions.more}
          </MenuItem>
        )}
      </>
    );
  }
  if (node.kind !== "value") return <MenuLabel>{node.kind === "exit" ? actions.out : actions.entry}</MenuLabel>;
  const condition = choice.nodes === "page" ? { property: "column:page", op: "eq", value: node.name } : { property: "column:event_type", op: "eq", value: node.name };
  return (
    <>
      <MenuItem onSelect={() => onChange(startHere(choice, node.name))}>
        <ArrowRightFromLine aria-hidden />
        {actions.start}
      </MenuItem>
      <MenuItem onSelect={() => onChange(endHere(choice, node.name))}>
        <ArrowRightToLine aria-hidden />
        {actions.end}
      </MenuItem>
      {choice.nodes === "event" && (
        <MenuItem onSelect={() => onChange(hide(choice, node.name))}>
          <EyeOff aria-hidden />
          {actions.hide}
        </MenuItem>
      )}
      <MenuItem onSelect={() => void navigate(`${paths.events(projectId)}?filters=${encodeURIComponent(JSON.stringify([condition]))}`)}>
        <List aria-hidden />
        {actions.events}
      </MenuItem>
    </>
  );
}
