import { asProblem, explain } from "@/api/problem";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button";

/** A form's answer from the server, above its fields. */
export function FormError({ error }: { error: unknown }) {
  if (!error) return null;
  const { title, advice } = explain(asProblem(error));
  return (
    <div role="alert" className="flex gap-2.5 rounded-lg bg-danger-wash px-3 py-2.5 text-sm text-danger">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <p>
        <span className="font-medium">{title}</span> {advice}
      </p>
    </div>
  );
}

interface FailureProps {
  error: unknown;
  onRetry?: () => void;
  className?: string;
  children?: ReactNode;
}

/** What happened, what it means, what to do; in the place where the data would have been. */
export function Failure({ error, onRetry, className, children }: FailureProps) {
  const { title, advice } = explain(asProblem(error));
  return (
    <div role="alert" className={cn("flex flex-col items-center justify-center gap-3 px-6 py-14 text-center", className)}>
      <span className="grid size-10 place-items-center rounded-full bg-danger-wash text-danger">
        <CircleAlert aria-hidden className="size-5" />
      </span>
      <div>
        <p className="font-semibold">{title}</p>
        <p className="mx-auto mt-1 max-w-[52ch] text-sm text-ink-soft">{advice}</p>
      </div>
      {onRetry && (
        <Button size="sm" onClick={onRetry}>
          <RotateCw aria-hidden className="size-3.5" />
          {t.actions.retry}
        </Button>
      )}
      {children}
    </div>
  );
}
