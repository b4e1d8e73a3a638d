import type { CardAnswer } from "@/api/saved-types";
import type { DateNote } from "@/ui/chart/series";
import { words } from "../words";
import { Nothing } from "./big-number";
import { EventsAnswerCard } from "./events-answer";
import { FiguresAnswerCard } from "./figures-answer";
import { FunnelAnswerCard, Scrolled } from "./funnel-answer";
import { PathsAnswerCard } from "./paths-answer";
import { RetentionAnswerCard } from "./retention-answer";
import { TrendsAnswerCard } from "./trends-answer";

interface Props {
  asked: CardAnswer;
  view: Record<string, unknown>;
  timeZone: string;
  /** Of the room for it, in pixels. */
  height: number;
  /** Notes on dates, for charts over time; a share link has none. */
  notes?: readonly DateNote[];
}

/** One answer in small; boards and share links draw the same. */
export function CardAnswerView({ asked, view, timeZone, height, notes = [] }: Props) {
  switch (asked.kind) {
    case "funnel":
      return <FunnelAnswerCard answer={asked.answer} />;
    case "trends":
      return <TrendsAnswerCard answer={asked.answer} chart={view.chart} height={height} notes={notes} />;
    case "retention":
      return <RetentionAnswerCard answer={asked.answer} />;
    case "paths":
      return <PathsAnswerCard answer={asked.answer} />;
    case "sessions":
      return <FiguresAnswerCard kind="sessions" answer={asked.answer} height={height} notes={notes} />;
    case "overview":
      return <FiguresAnswerCard kind="overview" answer={asked.answer} height={height} notes={notes} />;
    case "events":
      return <EventsAnswerCard answer={asked.answer} timeZone={timeZone} />;
  }
}

export function NoteText({ text }: { text: string }) {
  if (text.trim() === "") return <Nothing text={words.answer.noText} />;
  return (
    <div className="flex h-full flex-col">
      <Scrolled label={words.kinds.note}>
        <p dir="auto" className="stranger text-base whitespace-pre-wrap">
          {text}
        </p>
      </Scrolled>
    </div>
  );
}
