import type { Answers } from "@/api/saved-types";
import { moment } from "@/lib/format";
import { words } from "../words";
import { Nothing } from "./big-number";
import { Scrolled } from "./funnel-answer";

/** The newest events: when, what, who. */
export function EventsAnswerCard({ answer, timeZone }: { answer: Answers["events"]; timeZone: string }) {
  if (answer.events.length === 0) return <Nothing text={words.answer.noEvents} />;
  return (
    <div className="flex h-full flex-col">
      <Scrolled label={words.kinds.events}>
        <ul className="divide-y divide-line text-sm">
          {answer.events.map((event) => (
            <li key={event.id} className="flex min-h-8 items-center gap-3 px-1 py-1">
              <span className="figures shrink-0 text-xs text-ink-faint">{moment(event.created_at, timeZone)}</span>
              <span dir="auto" className="stranger line-clamp-1 min-w-0 flex-1 font-medium">
                {event.event_type}
              </span>
              <span dir="auto" className="stranger line-clamp-1 max-w-[40%] text-xs text-ink-soft">
                {event.user_id ?? event.anonymous_id ?? words.answer.anonymous}
              </span>
            </li>
          ))}
        </ul>
      </Scrolled>
    </div>
  );
}
