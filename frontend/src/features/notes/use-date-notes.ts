import { projectQuery } from "@/features/projects/queries";
import type { DateNote } from "@/ui/chart/series";
import { useQuery } from "@tanstack/react-query";
import { placeNotes, spanOf } from "./note-places";
import { notesQuery } from "./queries";

const NONE: readonly DateNote[] = [];

/**
 * The `notes` of a TimeChart. `dates` are the starts of its places as the answer says them, `buckets.map((one) => one.date)`.
 * A chart without notes is drawn as well: faults are not told.
 */
export function useDateNotes(projectId: string, dates: readonly string[]): readonly DateNote[] {
  const span = spanOf(dates);
  const timeZone = useQuery(projectQuery(projectId)).data?.timezone;
  const notes = useQuery({ ...notesQuery(projectId, span), enabled: span !== null }).data;
  return notes && timeZone ? placeNotes(notes, dates, timeZone) : NONE;
}
