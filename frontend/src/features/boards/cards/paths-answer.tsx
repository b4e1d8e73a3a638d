import type { Answers } from "@/api/saved-types";
import { compactCount, percent } from "@/lib/format";
import { BarList } from "@/ui/chart/bar-list";
import { words } from "../words";
import { Nothing } from "./big-number";
import { Scrolled } from "./funnel-answer";

/** The most frequent ways, as they were gone. */
export function PathsAnswerCard({ answer }: { answer: Answers["paths"] }) {
  if (answer.paths.length === 0) return <Nothing text={words.answer.noPaths} />;
  return (
    <div className="flex h-full flex-col">
      <Scrolled label={words.kinds.paths}>
        <BarList
          rows={answer.paths.map((path, at) => ({
            key: String(at),
            name: words.answer.way(path.names, path.is_whole),
            value: path.entities,
            text: compactCount(path.entities),
            detail: percent(path.percent),
          }))}
        />
      </Scrolled>
    </div>
  );
}
