import type { BoardCard, CardAnswer, SavedView, ViewRange } from "@/api/saved-types";
import { funnelsQuery } from "@/features/funnels/queries";
import { useDateNotes } from "@/features/notes/use-date-notes";
import type { Day } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";
import { useSeen } from "@/lib/use-seen";
import { useQuery } from "@tanstack/react-query";
import { GripVertical } from "lucide-react";
import type { KeyboardEvent } from "react";
import { addressOf } from "./address-of";
import { contentOf, type CardContent } from "./card-content";
import { CardMenu } from "./card-menu";
import { cardQuery } from "./card-query";
import { cardTitle } from "./card-title";
import { CardAnswerView, NoteText } from "./cards/card-answer";
import { CardBody, CardShell, roomPx } from "./cards/card-shell";
import { Nothing } from "./cards/big-number";
import type { Step } from "./layout-math";
import { choiceOfRange } from "./ranges";
import { words } from "./words";

export interface CardActions {
  onStep: (step: Step) => void;
  /** Cards stand in one column: no handle, no sizes. */
  isColumn: boolean;
  onEdit: () => void;
  onDuplicate: () => void;
  onRemove: () => void;
}

interface Props {
  projectId: string;
  card: BoardCard;
  views: readonly SavedView[];
  boardRange: ViewRange | null;
  today: Day;
  timeZone: string;
  /** Null on a screen that only shows. */
  actions: CardActions | null;
}

const KEYS: Record<string, [Step, Step]> = {
  ArrowLeft: ["left", "narrower"],
  ArrowRight: ["right", "wider"],
  ArrowUp: ["up", "shorter"],
  ArrowDown: ["down", "taller"],
};

export function BoardCardView({ projectId, card, views, boardRange, today, timeZone, actions }: Props) {
  const funnels = useQuery(funnelsQuery(projectId)).data;
  const content = contentOf(card, views, boardRange);
  const isGone = content === null || (content.kind === "funnel" && funnels !== undefined && !funnels.some((one) => one.id === content.question.funnel_id));
  const title = content ? cardTitle(content, funnels) : (card.title ?? words.views.title);
  const step = actions?.isColumn ? undefined : actions?.onStep;
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps = KEYS[event.key];
    if (!steps || !step) return;
    event.preventDefault();
    step(steps[event.shiftKey ? 1 : 0]);
  };
  return (
    <CardShell
      title={title}
      detail={content && !content.followsBoard ? rangeText(content, today) : undefined}
      lead={
        step && (
          <button
            type="button"
            aria-label={words.card.handle(title)}
            onKeyDown={onKeyDown}
            className="board-handle -ml-2 grid size-6 shrink-0 cursor-grab touch-none place-items-center rounded text-ink-faint hover:bg-hover active:cursor-grabbing"
          >
            <GripVertical aria-hidden className="size-4" />
          </button>
        )
      }
      actions={
        actions && (
          <CardMenu
            title={title}
            address={content && !isGone ? addressOf(projectId, content, today) : null}
            onStep={actions.onStep}
            isColumn={actions.isColumn}
            {...(content && { onEdit: actions.onEdit })}
            onDuplicate={actions.onDuplicate}
            onRemove={actions.onRemove}
          />
        )
      }
    >
      {isGone ? <Nothing text={words.gone} /> : <Content projectId={projectId} content={content} today={today} timeZone={timeZone} height={roomPx(card.h)} />}
    </CardShell>
  );
}

function rangeText(content: CardContent, today: Day): string | undefined {
  if (content.kind === "note" || content.range === null) return undefined;
  const choice = choiceOfRange(content.range, today);
  return choice.preset === "custom" ? dayRange(choice.range) : t.range.presets[choice.preset];
}

/** The starts of the buckets of an answer over time. */
function datesOf(asked: CardAnswer | undefined): string[] {
  if (asked?.kind === "trends") return asked.answer.buckets.map((one) => one.date);
  return asked?.kind === "sessions" || asked?.kind === "overview" ? asked.answer.buckets.map((one) => one.bucket) : [];
}

interface ContentProps {
  projectId: string;
  content: CardContent;
  today: Day;
  timeZone: string;
  height: number;
}

function Content({ projectId, content, today, timeZone, height }: ContentProps) {
  const [isSeen, watch] = useSeen();
  const query = useQuery(cardQuery(projectId, content, today, isSeen));
  const notes = useDateNotes(projectId, datesOf(query.data));
  if (content.kind === "note") return <NoteText text={String(content.question.text ?? "")} />;
  return (
    <div ref={watch} className="h-full">
      <CardBody query={query}>{(asked) => <CardAnswerView asked={asked} view={content.view} timeZone={timeZone} height={height} notes={notes} />}</CardBody>
    </div>
  );
}
