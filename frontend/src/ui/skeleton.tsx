import { cn } from "@/lib/class-names";

export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn("block animate-sheen rounded-md bg-hover", className)} />;
}
