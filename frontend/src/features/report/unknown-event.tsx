import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { Fragment } from "react";
import { namesAmong } from "./event-choice";
import { nearestNames } from "./nearest-names";
import { eventNamesQuery, NAMES_MAX, TYPING_MS } from "./queries";

interface Props {
  projectId: string;
  /** As it was written; a path of pages and "*" are no names. */
  name: string;
  onTake: (name: string) => void;
  className?: string;
}

/** Says that no event of a name has arrived, which makes every number of it 0, and offers the names that may be meant. */
export function UnknownEvent({ projectId, name, onTake, className = "mt-1.5" }: Props) {
  const written = useDebounced(name.trim(), TYPING_MS);
  const isName = namesAmong(written).length > 0;
  const found = useQuery({ ...eventNamesQuery(projectId, written), enabled: isName });
  const isKnown = found.data?.some((one) => one.name === written) ?? false;
  // A full answer may have left the name out.
  const isMissing = isName && found.data !== undefined && !found.isPlaceholderData && !isKnown && found.data.length < NAMES_MAX;
  const all = useQuery({ ...eventNamesQuery(projectId, ""), enabled: isMissing });
  if (!isMissing || all.data === undefined || written !== name.trim()) return null;
  const meant = nearestNames(written, [...found.data, ...all.data].map((one) => one.name).filter((one, at, names) => names.indexOf(one) === at));
  const words = t.unknownEvent;
  return (
    <p role="status" className={cn("flex items-start gap-1.5 text-sm text-warning", className)}>
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0">
        {words.none}
        {meant.length > 0 && ` ${words.meant} `}
        {meant.map((one, at) => (
          <Fragment key={one}>
            {at > 0 && words.or}
            <button type="button" aria-label={words.take(one)} dir="auto" className="stranger font-medium underline underline-offset-3" onClick={() => onTake(one)}>
              {one}
            </button>
          </Fragment>
        ))}
        {meant.length > 0 && "?"}
      </span>
    </p>
  );
}
