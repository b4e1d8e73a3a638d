/** Names that somebody may have meant who wrote one that nobody knows. */
const COMPARED_CHARS = 64;
const MEANT_MAX = 3;
/** Of the letters of the longer name so many may differ. */
const FAR = 0.5;

const plain = (name: string): string => name.slice(0, COMPARED_CHARS).toLowerCase().replace(/[\s_.:-]+/g, " ").trim();

/** The known names nearest to a written one, nearest first; names that have little to do with it are left out. */
export function nearestNames(written: string, known: readonly string[]): string[] {
  const wanted = plain(written);
  if (wanted === "") return [];
  return known
    .map((name) => ({ name, far: farness(wanted, plain(name)) }))
    .filter(({ far }) => far <= FAR)
    .sort((one, two) => one.far - two.far)
    .slice(0, MEANT_MAX)
    .map(({ name }) => name);
}

function farness(wanted: string, name: string): number {
  if (name === "") return 1;
  const share = edits(wanted, name) / Math.max(wanted.length, name.length);
  // "purchase" is in "purchase completed", however many letters that adds.
  return wanted.length > 2 && name.length > 2 && (name.includes(wanted) || wanted.includes(name)) ? Math.min(share, FAR / 2) : share;
}

/** How many letters must be put in, taken out or changed to make one text of the other. */
function edits(one: string, two: string): number {
  let before = Array.from({ length: two.length + 1 }, (_none, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= two.length; column += 1) {
      const changed = (before[column - 1] ?? 0) + (one[row - 1] === two[column - 1] ? 0 : 1);
      now.push(Math.min(changed, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1));
    }
    before = now;
  }
  return before[two.length] ?? 0;
}
