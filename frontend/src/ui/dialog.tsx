import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { X } from "lucide-react";
import { useId, type ReactNode } from "react";
import { Button } from "./button";
import { Modal } from "./modal";

interface Props {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  className?: string;
}

/** A question or a short form in the middle of the window. */
export function Dialog({ open, onClose, title, description, children, className }: Props) {
  const titleId = useId();
  return (
    <Modal
      open={open}
      onClose={onClose}
      titleId={titleId}
      className={cn(
        "m-auto w-[min(30rem,calc(100vw-2rem))] animate-rise rounded-xl border border-line bg-surface p-0 shadow-pop",
        className,
      )}
    >
      <div className="p-5">
        <div className="flex items-start justify-between gap-4">
          <h2 id={titleId} className="text-lg font-semibold tracking-[-0.01em]">
            {title}
          </h2>
          <Button variant="ghost" size="icon-sm" onClick={onClose} aria-label={t.actions.close} className="-mt-0.5 -mr-1.5">
            <X aria-hidden className="size-4" />
          </Button>
        </div>
        {description && <div className="mt-1.5 text-sm text-ink-soft">{description}</div>}
        {children}
      </div>
    </Modal>
  );
}
