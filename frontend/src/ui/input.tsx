import { cn } from "@/lib/class-names";
import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";

export const inputLook =
  "h-9 w-full min-w-0 rounded-lg border border-line-strong/60 bg-surface px-3 text-base text-ink transition-colors duration-150 hover:border-line-strong focus-visible:border-ring focus-visible:outline-2 focus-visible:outline-offset-0 focus-visible:outline-ring/40 disabled:opacity-60 aria-invalid:border-danger aria-invalid:outline-danger/40";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(inputLook, className)} {...rest} />;
}

/** A select in a line of small buttons: `<NativeSelect className={smallSelect}>`. */
export const smallSelect = "w-auto max-w-full [&>select]:h-7 [&>select]:border-line [&>select]:py-0 [&>select]:text-sm [&>select]:font-medium [&>select]:shadow-card";

export function NativeSelect({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cn("relative inline-flex w-full", className)}>
      <select className={cn(inputLook, "appearance-none pr-8")} {...rest}>
        {children}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-1/2 right-2.5 size-4 -translate-y-1/2 text-ink-faint" />
    </span>
  );
}
