import { presentQuery } from "@/features/live/present";
import { compactCount, count } from "@/lib/format";
import { t } from "@/lib/strings";
import { useQuery } from "@tanstack/react-query";

/** How many people did something in the last minutes; nothing where nobody did, or where it is not known. */
export function PeopleNow({ projectId }: { projectId: string }) {
  const present = useQuery(presentQuery(projectId)).data;
  if (!present?.people) return null;
  const said = t.nav.peopleNow(count(present.people), present.seconds / 60);
  return (
    <span className="ml-auto inline-flex items-center gap-1.5 text-xs text-ink-soft tabular-nums" title={said}>
      <span aria-hidden className="size-1.5 rounded-full bg-positive" />
      <span aria-hidden>{compactCount(present.people)}</span>
      <span className="sr-only">{said}</span>
    </span>
  );
}
