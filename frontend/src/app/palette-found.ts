/** What the palette finds by asking the service: events by name, people by a part of an id. */
import { peopleQuery, type PersonRow } from "@/features/people/queries";
import { eventNamesQuery, TYPING_MS } from "@/features/report/queries";
import { EMPTY, newSeries, writeTrends } from "@/features/trends/trend-state";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { withCarried, type CarriedDays } from "./carried-days";
import { entriesFor, type Entry } from "./palette-entries";
import { paths } from "./paths";

const EVENTS_SHOWN = 4;
const PEOPLE_SHOWN = 4;
const ID_LEAST_CHARS = 4;

/** People are looked for over all events: only what may be a part of an id is worth that, not each word on the way to a page. */
export const mayBeId = (words: string): boolean => words.length >= ID_LEAST_CHARS && !/\s/.test(words) && /[\d@]/.test(words);

const added = (address: string, part: string): string => `${address}${address.includes("?") ? "&" : "?"}${part}`;

/** The event's log, then its trend, over the days that one looks at. */
export function eventEntries(projectId: string, name: string, carried: CarriedDays | null): Entry[] {
  const events = withCarried(paths.events(projectId), "days", carried);
  const trends = withCarried(paths.trends(projectId), "comparison", carried);
  const question = writeTrends(new URLSearchParams(), { ...EMPTY, series: [{ ...newSeries(), event: name }] });
  return [
    { kind: "event", name: t.palette.events(name), to: added(events, new URLSearchParams({ event: name }).toString()) },
    { kind: "trend", name: t.palette.trend(name), to: added(trends, question.toString()) },
  ];
}

/** Those whose own id is meant before those who only have the words in it. */
export function personEntries(projectId: string, people: readonly PersonRow[], words: string): Entry[] {
  return people
    .flatMap((one) => one.user_id ?? one.anonymous_id ?? [])
    .sort((one, two) => Number(two === words) - Number(one === words))
    .slice(0, PEOPLE_SHOWN)
    .map((id) => ({ kind: "person", name: t.palette.openPerson(id), to: paths.person(projectId, id) }));
}

interface Found {
  events: Entry[];
  people: Entry[];
  isSearching: boolean;
}

/** Nothing is asked for an empty palette, nor for letters that are already followed by others. */
export function useFound(projectId: string | undefined, words: string, carried: CarriedDays | null): Found {
  const written = words.trim();
  const settled = useDebounced(written, TYPING_MS);
  const asks = projectId !== undefined && settled !== "" && written !== "";
  const asksPeople = asks && mayBeId(settled);
  const names = useQuery({ ...eventNamesQuery(projectId ?? "", settled), enabled: asks });
  const people = useInfiniteQuery({ ...peopleQuery(projectId ?? "", settled), enabled: asksPeople });
  const isSearching = projectId !== undefined && written !== "" && (settled !== written || names.isFetching || people.isFetching);
  if (!asks) return { events: [], people: [], isSearching };
  const known = (names.data ?? []).map((one): Entry => ({ kind: "event", name: one.name }));
  const rows = asksPeople && settled === written && !people.isPlaceholderData ? (people.data?.pages[0]?.people ?? []) : [];
  return {
    events: entriesFor(known, written)
      .slice(0, EVENTS_SHOWN)
      .flatMap((one) => eventEntries(projectId, one.name, carried)),
    people: personEntries(projectId, rows, written),
    isSearching,
  };
}
