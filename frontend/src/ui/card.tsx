import { cn } from "@/lib/class-names";
import type { ComponentProps, ReactNode } from "react";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section className={cn("rounded-xl border border-line bg-surface shadow-card", className)} {...rest} />;
}

interface HeadProps {
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  className?: string;
}

export function CardHead({ title, description, children, className }: HeadProps) {
  return (
    <header className={cn("flex flex-wrap items-start justify-between gap-3 px-5 pt-4", className)}>
      <div className="min-w-0">
        <h2 className="text-base font-semibold tracking-[-0.006em] text-ink">{title}</h2>
        {description && <p className="mt-0.5 max-w-[65ch] text-sm text-ink-soft">{description}</p>}
      </div>
      {children}
    </header>
  );
}
