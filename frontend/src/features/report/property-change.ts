/** What becomes of a condition when its property changes: its value was said of another one. */
import { propertyLabel, takesNumber } from "./conditions";

interface Said {
  property: string;
  op: string;
  value: string;
}

/** "browser" leaves open what "column:browser" says: chosen for each other, they are the same. */
function isSame(one: string, two: string): boolean {
  const [first, second] = [one.trim(), two.trim()];
  return first === second || propertyLabel(first) === second || first === propertyLabel(second);
}

/**
 * The condition with another property, as it is being typed. `said` is the condition as it last was whole: its value
 * comes back when its property does, so that a letter typed again costs nothing.
 */
export function onProperty<One extends Said>(now: One, said: One, property: string): One {
  if (said.property.trim() === "") return { ...now, property };
  if (isSame(said.property, property)) return { ...said, property };
  return { ...now, property, op: takesNumber(said.op) ? "eq" : said.op, value: "" };
}
