import { asProblem } from "@/api/problem";
import { Button } from "@/ui/button";
import { Failure } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { ListFilter } from "lucide-react";
import { EventDetail } from "./event-detail";
import { eventQuery } from "./queries";
import { words as allWords } from "./words";

const words = allWords.detail;

interface Props {
  projectId: string;
  timeZone: string;
  id: string;
  at: string;
  onClose: () => void;
  /** Shows only events of this name. */
  onNarrow?: (name: string) => void;
}

/** One stored event beside the page it was opened from. */
export function EventSheet({ projectId, timeZone, id, at, onClose, onNarrow }: Props) {
  const event = useQuery(eventQuery(projectId, id, at));
  const found = event.data;
  return (
    <Sheet open onClose={onClose} title={found?.event_type ?? words.title} className="w-[min(40rem,100vw)]">
      {event.isError ? (
        <Failure error={asProblem(event.error)} onRetry={() => void event.refetch()} />
      ) : found === undefined ? (
        <Skeleton className="h-96 rounded-lg" />
      ) : found === null ? (
        <p className="text-sm text-ink-soft">{words.gone}</p>
      ) : (
        <EventDetail projectId={projectId} timeZone={timeZone} event={found}>
          {onNarrow && (
            <Button size="sm" variant="ghost" onClick={() => onNarrow(found.event_type)}>
              <ListFilter aria-hidden className="size-3.5" />
              {words.narrow}
            </Button>
          )}
        </EventDetail>
      )}
    </Sheet>
  );
}
