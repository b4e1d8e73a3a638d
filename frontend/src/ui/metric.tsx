import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { ArrowDownRight, ArrowUpRight, Minus } from "lucide-react";
import type { ReactNode } from "react";

export interface MetricDelta {
  text: string;
  /** Null: neither better nor worse. */
  isBetter: boolean | null;
  /** Which way the number went. */
  direction: "up" | "down" | "same";
  /** The number before, as text. */
  before: string;
}

interface Props {
  label: string;
  value: string;
  /** The exact number, shown on hover. */
  exact?: string;
  /** Who or what is counted, shown on hover of the label. */
  hint?: string;
  delta?: MetricDelta | null;
  isAccent?: boolean;
  children?: ReactNode;
  className?: string;
}

/** One number, large, with what it was before. */
export function Metric({ label, value, exact, hint, delta, isAccent = false, children, className }: Props) {
  return (
    <section aria-label={label} className={cn("flex min-w-0 flex-col rounded-xl border border-line bg-surface px-4 pt-3.5 pb-3 shadow-card sm:px-5 sm:pt-4", className)}>
      <h2 title={hint} className={cn("w-fit text-sm font-medium text-ink-soft", hint && "underline decoration-line-strong/60 decoration-dotted underline-offset-3")}>{label}</h2>
      <p title={exact} className={cn("figures mt-1 text-2xl font-semibold tracking-[-0.03em] sm:text-3xl", isAccent && "text-accent-ink")}>
        {value}
      </p>
      <div className="stranger figures mt-1.5 min-h-5 text-sm text-ink-faint">
        {delta && <Delta delta={delta} />}
        {children}
      </div>
    </section>
  );
}

/** Bare: the number before stands somewhere else. */
export function Delta({ delta, isBare = false }: { delta: MetricDelta; isBare?: boolean }) {
  const Icon = delta.direction === "same" ? Minus : delta.direction === "up" ? ArrowUpRight : ArrowDownRight;
  const tone = delta.isBetter === null ? "text-ink-soft" : delta.isBetter ? "text-positive" : "text-danger";
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <span className={cn("inline-flex items-center gap-0.5 font-medium", tone)}>
        <Icon aria-hidden className="size-3.5" strokeWidth={2.5} />
        {delta.text}
      </span>
      {!isBare && <span>{t.report.before(delta.before)}</span>}
    </span>
  );
}
