import { cn } from "@/lib/class-names";
import { cva, type VariantProps } from "class-variance-authority";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { Spinner } from "./spinner";

const look = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg text-sm font-medium whitespace-nowrap transition-colors duration-150 select-none disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:opacity-55",
  {
    variants: {
      variant: {
        primary: "bg-accent text-on-accent hover:not-disabled:bg-accent-hover",
        secondary: "border border-line bg-surface text-ink shadow-card hover:not-disabled:bg-hover",
        ghost: "text-ink-soft hover:not-disabled:bg-hover hover:not-disabled:text-ink data-[state=open]:bg-hover",
        danger: "border border-line bg-surface text-danger hover:not-disabled:bg-danger-wash",
      },
      size: { sm: "h-7 px-2.5", md: "h-9 px-3.5", icon: "size-8", "icon-sm": "size-7" },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

type Props = ComponentProps<"button"> & VariantProps<typeof look> & { asChild?: boolean; busy?: boolean };

export function Button({ className, variant, size, asChild = false, busy = false, disabled, children, ...rest }: Props) {
  const classes = cn(look({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button type="button" className={classes} disabled={disabled ?? busy} aria-busy={busy || undefined} {...rest}>
      {busy && <Spinner />}
      {children}
    </button>
  );
}
