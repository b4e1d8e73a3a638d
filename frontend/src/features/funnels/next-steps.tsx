import type { NextStep } from "@/api/types";
import { lastDays, todayIn } from "@/lib/dates";
import { duration, percent } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";
import { Plus } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useWatch } from "react-hook-form";
import { begun } from "./countable";
import type { Draft } from "./draft";
import { nextStepsQuery } from "./queries";
import { w } from "./words";

const TYPING_MS = 600;
const PREVIEW_DAYS = 30;

interface Props {
  projectId: string;
  timeZone: string;
  onTake: (step: NextStep) => void;
}

/** What people really did after the stages so far; one click makes it the next stage. */
export function NextSteps({ projectId, timeZone, onTake }: Props) {
  const draft = useDebounced(useWatch<Draft>() as Draft, TYPING_MS);
  const definition = begun(draft);
  const steps = useQuery(nextStepsQuery(projectId, definition, lastDays(PREVIEW_DAYS, todayIn(timeZone, new Date()))));
  if (!definition || !steps.data || steps.data.next_steps.length === 0) return null;
  return (
    <section aria-label={w.builder.next} className="mt-3 flex animate-fade flex-wrap items-center gap-2">
      <h3 className="text-sm text-ink-faint">{w.builder.next}</h3>
      {steps.data.next_steps.map((step) => {
        const name = step.page ?? step.event;
        return (
          <button
            key={`${step.event} ${step.page ?? ""}`}
            type="button"
            aria-label={w.builder.addNext(name, percent(step.share))}
            onClick={() => onTake(step)}
            className="inline-flex max-w-full items-center gap-1.5 rounded-full border border-line bg-surface px-2.5 py-1 text-sm transition-colors duration-150 hover:border-line-strong"
          >
            <Plus aria-hidden className="size-3.5 shrink-0 text-ink-faint" />
            <span dir="auto" className="stranger line-clamp-1 min-w-0">
              {name}
            </span>
            <span className="figures shrink-0 text-xs text-ink-faint">{w.builder.nextDetail(percent(step.share), duration(step.median_s))}</span>
          </button>
        );
      })}
    </section>
  );
}
