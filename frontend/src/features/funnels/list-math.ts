/** The order of the cards. */
import type { Funnel, FunnelAnswer } from "@/api/types";
import { conversionChange } from "./compare-math";
import { share } from "./funnel-math";

export const SORTS = ["name", "conversion", "entered", "change", "updated"] as const;
type ListSort = (typeof SORTS)[number];

export const readSort = (search: URLSearchParams): ListSort => SORTS.find((one) => one === search.get("sort")) ?? "name";

type Answers = ReadonlyMap<string, FunnelAnswer | undefined>;

/** The highest first, but for names; funnels without a number yet come last. */
export function sorted(funnels: readonly Funnel[], sort: ListSort, answers: Answers): Funnel[] {
  const byName = (one: Funnel, two: Funnel): number => one.name.localeCompare(two.name) || one.id.localeCompare(two.id);
  if (sort === "name") return [...funnels].sort(byName);
  if (sort === "updated") return [...funnels].sort((one, two) => two.updated_at.localeCompare(one.updated_at) || byName(one, two));
  const figure = (funnel: Funnel): number => {
    const answer = answers.get(funnel.id);
    if (!answer) return Number.NEGATIVE_INFINITY;
    const entered = answer.stages[0]?.users ?? 0;
    // From the counts: rates come rounded, and so do differences of theirs.
    if (sort === "conversion") return share(answer.stages.at(-1)?.users ?? 0, entered);
    if (sort === "entered") return entered;
    return (answer.compare && conversionChange(answer.stages, answer.compare.stages)) ?? Number.NEGATIVE_INFINITY;
  };
  return [...funnels].sort((one, two) => {
    const [first, second] = [figure(one), figure(two)];
    return first === second ? byName(one, two) : second - first;
  });
}
