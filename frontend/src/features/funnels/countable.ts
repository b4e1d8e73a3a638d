/** The draft as far as it can be counted already, while somebody is still writing. */
import { t } from "@/lib/strings";
import { definitionFrom, type Definition } from "./definition-math";
import { draftSchema, stageTitle, type Draft } from "./draft";

const PARTS_MAX = 50;

/** Without a name, and without the filters, exclusions and held properties that are not finished yet. */
function finished(draft: Draft): Draft | null {
  let rest: Draft = { ...draft, name: t.builder.preview, description: "" };
  for (let round = 0; round < PARTS_MAX; round += 1) {
    const parsed = draftSchema.safeParse(rest);
    if (parsed.success) return parsed.data;
    const next = parsed.error.issues.map((issue) => without(rest, issue.path)).find((one) => one !== null);
    if (!next) return null;
    rest = next;
  }
  return null;
}

const cut = <Item>(items: readonly Item[], index: number): Item[] => items.filter((_item, at) => at !== index);

/** The draft without the part at a path; null when the path is of something a funnel cannot do without. */
function without(draft: Draft, path: readonly PropertyKey[]): Draft | null {
  const [list, first, field, second] = path;
  const [index, inner] = [Number(first), Number(second)];
  if (list === "filters") return { ...draft, filters: cut(draft.filters, index) };
  if (list === "hold" && first !== undefined) return { ...draft, hold: cut(draft.hold, index) };
  if (list === "exclusions" && first !== undefined) return { ...draft, exclusions: cut(draft.exclusions, index) };
  if (list === "stages" && field === "filters") {
    return { ...draft, stages: draft.stages.map((stage, at) => (at === index ? { ...stage, filters: cut(stage.filters, inner) } : stage)) };
  }
  return null;
}

/** The stages up to the last one that says something; the empty cards after it are still to be filled. */
function begunStages(draft: Draft): Draft["stages"] {
  return draft.stages.slice(0, draft.stages.findLastIndex((stage) => stageTitle(stage) !== "") + 1);
}

export function countable(draft: Draft): Definition | null {
  const stages = begunStages(draft);
  const whole = finished({ ...draft, stages: stages.length < 2 ? draft.stages : stages });
  return whole && definitionFrom(whole);
}

/** What people do next can be asked from the first stage on. */
export function begun(draft: Draft): Definition | null {
  const stages = begunStages(draft);
  const [first, second] = stages;
  if (!first || second) return countable(draft);
  // The rules ask for two stages; a second one stands in and is not asked about.
  const whole = finished({ ...draft, exclusions: [], stages: [first, first] });
  return whole && definitionFrom({ ...whole, stages: whole.stages.slice(0, 1) });
}
