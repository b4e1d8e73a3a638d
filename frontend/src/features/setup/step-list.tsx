import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Check } from "lucide-react";

const STEPS = ["name", "snippet", "event"] as const;
export type Step = (typeof STEPS)[number];

/** The three first steps; those before the current one are ticked. */
export function StepList({ current }: { current: Step | "done" }) {
  const reached = current === "done" ? STEPS.length : STEPS.indexOf(current);
  return (
    <ol className="mb-6 flex items-center gap-2 text-sm sm:gap-3" aria-label={t.setup.onboarding}>
      {STEPS.map((step, index) => {
        const isDone = index < reached;
        const isCurrent = index === reached;
        return (
          <li key={step} aria-current={isCurrent ? "step" : undefined} className="flex min-w-0 items-center gap-2 sm:gap-3">
            {index > 0 && <span aria-hidden className={cn("h-px w-4 sm:w-10", index <= reached ? "bg-positive" : "bg-line-strong/50")} />}
            <span
              className={cn(
                "figures grid size-5 shrink-0 place-items-center rounded-full text-xs font-semibold",
                isDone && "bg-positive-wash text-positive",
                isCurrent && "bg-accent text-on-accent",
                !isDone && !isCurrent && "bg-hover text-ink-faint",
              )}
            >
              {isDone ? <Check aria-label={t.setup.done} className="size-3" strokeWidth={3} /> : index + 1}
            </span>
            <span className={cn("truncate font-medium", isCurrent ? "text-ink" : "text-ink-faint")}>{t.setup.step[step]}</span>
          </li>
        );
      })}
    </ol>
  );
}
