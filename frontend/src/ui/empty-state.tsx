import { cn } from "@/lib/class-names";
import type { ReactNode } from "react";

interface Props {
  title: string;
  description: string;
  picture?: ReactNode;
  children?: ReactNode;
  className?: string;
}

export function EmptyState({ title, description, picture, children, className }: Props) {
  return (
    <div className={cn("flex flex-col items-center px-6 py-12 text-center", className)}>
      {picture}
      <h2 className="text-lg font-semibold tracking-[-0.01em]">{title}</h2>
      <p className="mt-1.5 max-w-[52ch] text-base text-ink-soft">{description}</p>
      {children && <div className="mt-5 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
