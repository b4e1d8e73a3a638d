import { cn } from "@/lib/class-names";

/** The product's mark: three stages of a funnel. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={cn("size-8", className)}>
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <rect x="7" y="8" width="5" height="16" rx="1.5" fill="var(--on-accent)" />
      <rect x="13.5" y="13" width="5" height="11" rx="1.5" fill="var(--on-accent)" fillOpacity="0.82" />
      <rect x="20" y="18" width="5" height="6" rx="1.5" fill="var(--on-accent)" fillOpacity="0.64" />
    </svg>
  );
}
