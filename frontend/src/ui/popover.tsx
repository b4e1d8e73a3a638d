import { cn } from "@/lib/class-names";
import { useIsPhone } from "@/lib/use-is-phone";
import { Popover as Radix, Slot } from "radix-ui";
import type { ReactNode } from "react";
import { Sheet } from "./sheet";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  trigger: ReactNode;
  children: ReactNode;
  label: string;
  align?: "start" | "end" | "center";
  className?: string;
}

/** On a phone the same content is a sheet at the bottom: what is higher than the window would hide its own buttons. */
export function SheetOrPopover(props: Props) {
  const isPhone = useIsPhone();
  const { open, onOpenChange, trigger, children, label } = props;
  if (!isPhone) return <Popover {...props} />;
  return (
    <>
      <Slot.Root aria-haspopup="dialog" aria-expanded={open} onClick={() => onOpenChange(true)}>
        {trigger}
      </Slot.Root>
      <Sheet open={open} onClose={() => onOpenChange(false)} title={label} side="bottom" isFlush>
        {children}
      </Sheet>
    </>
  );
}

export function Popover({ open, onOpenChange, trigger, children, label, align = "start", className }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className={cn("z-40 animate-rise rounded-xl border border-line bg-surface p-3 shadow-pop", className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
