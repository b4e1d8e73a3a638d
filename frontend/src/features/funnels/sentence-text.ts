/** The question of a funnel as one text, for a picture that is looked at without its page. */
import type { Funnel } from "@/api/types";
import { span } from "@/lib/format";
import { t } from "@/lib/strings";
import { conditionText } from "./stage-definition";
import { w } from "./words";

const FILTER_CHARS_MAX = 80;

type Filters = NonNullable<Funnel["filters"]>;

export const orderedStages = (funnel: Funnel) => [...funnel.stages].sort((one, two) => (one.order ?? 0) - (two.order ?? 0));

export const windowText = ({ window_seconds }: Funnel): string =>
  window_seconds === null || window_seconds === undefined ? t.funnel.sentence.noWindow : t.funnel.sentence.within(span(window_seconds));

export const shortened = (text: string): string => (text.length > FILTER_CHARS_MAX ? `${text.slice(0, FILTER_CHARS_MAX)}…` : text);

const conditionsOf = (filters: Filters): string[] => filters.map((filter) => shortened(conditionText({ ...filter })));

/** With every condition: two pictures of one funnel that differ in a filter must not read the same. */
export function sentenceText(funnel: Funnel, rangeText: string): string {
  const stages = orderedStages(funnel).map((stage) => {
    const conditions = conditionsOf(stage.filters ?? []);
    return [stage.name, ...(conditions.length > 0 ? [w.sentence.where(conditions, 0)] : []), ...(stage.optional ? [w.sentence.optional] : [])].join(" ");
  });
  const people = funnel.unit === "session" ? w.sentence.sessions : t.funnel.sentence.people;
  const ofAll = conditionsOf(funnel.filters ?? []);
  const sentence = `${people} ${stages.join(` ${w.sentence.then[funnel.order ?? "ordered"]} `)} ${windowText(funnel)}, ${rangeText}${w.sentence.more(funnel)}.`;
  return ofAll.length > 0 ? `${sentence} ${w.sentence.onlyWhere} ${ofAll.join(` ${w.sentence.and} `)}.` : sentence;
}
