import { cn } from "@/lib/class-names";
import type { ReactNode } from "react";

interface Props {
  title: string;
  description: string;
  picture?: ReactNode;
  /** It is all that the page has: its title is the page's heading. */
  isPage?: boolean;
  children?: ReactNode;
  className?: string;
}

export function EmptyState({ title, description, picture, isPage = false, children, className }: Props) {
  const Heading = isPage ? "h1" : "h2";
  return (
    <div className={cn("flex flex-col items-center px-6 py-12 text-center", className)}>
      {picture}
      <Heading className="text-lg font-semibold tracking-[-0.01em]">{title}</Heading>
      <p className="mt-1.5 max-w-[52ch] text-base text-ink-soft">{description}</p>
      {children && <div className="mt-5 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
