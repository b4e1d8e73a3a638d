import { cn } from "@/lib/class-names";
import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";

const look = cva("inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-xs font-medium whitespace-nowrap", {
  variants: {
    tone: {
      neutral: "bg-sunken text-ink-soft",
      accent: "bg-accent-wash text-accent-ink",
      positive: "bg-positive-wash text-positive",
      warning: "bg-warning-wash text-warning",
      danger: "bg-danger-wash text-danger",
    },
  },
  defaultVariants: { tone: "neutral" },
});

export function Badge({ className, tone, ...rest }: ComponentProps<"span"> & VariantProps<typeof look>) {
  return <span className={cn(look({ tone }), className)} {...rest} />;
}
