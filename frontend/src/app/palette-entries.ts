/** What the palette offers, best first. */
export interface Entry {
  kind: "place" | "funnel" | "board" | "project" | "action" | "event" | "trend" | "person";
  name: string;
  to?: string;
  run?: () => void;
}

const SHOWN_MAX = 30;

/** Entries whose name begins with the words, then those where a word begins with them, then those that have them anywhere. */
export function entriesFor(entries: readonly Entry[], words: string): Entry[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return entries.slice(0, SHOWN_MAX);
  const rank = (entry: Entry): number => {
    const name = entry.name.toLowerCase();
    if (name.startsWith(wanted)) return 0;
    if (name.split(/[\s_/:.-]+/).some((part) => part.startsWith(wanted))) return 1;
    return name.includes(wanted) ? 2 : 3;
  };
  return entries
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter((one) => one.rank < 3)
    .sort((one, two) => one.rank - two.rank)
    .slice(0, SHOWN_MAX)
    .map((one) => one.entry);
}
