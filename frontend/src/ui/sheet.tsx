import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { X } from "lucide-react";
import { useId, type ReactNode } from "react";
import { Button } from "./button";
import { Modal } from "./modal";

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  /** Stays in view below the scrolled content: the buttons of a form. */
  foot?: ReactNode;
  side?: "right" | "bottom";
  /** The content brings its own margins. */
  isFlush?: boolean;
  className?: string;
  children: ReactNode;
}

/** A modal dialog at the edge of the window, for what needs room beside the page: details, editors, the phone's menu. */
export function Sheet({ open, onClose, title, description, foot, side = "right", isFlush = false, className, children }: Props) {
  const titleId = useId();
  return (
    <Modal
      open={open}
      onClose={onClose}
      titleId={titleId}
      className={cn(
        "fixed m-0 max-h-none max-w-none border-line bg-surface p-0 shadow-pop",
        side === "right"
          ? "top-0 right-0 left-auto h-dvh w-[min(34rem,100vw)] animate-slide border-l"
          : "top-auto bottom-0 left-0 max-h-[85dvh] w-screen animate-rise rounded-t-2xl border-t",
        className,
      )}
    >
      <div className={cn("flex flex-col", side === "right" ? "h-full" : "max-h-[85dvh]")}>
        <header className="flex items-start justify-between gap-4 border-b border-line px-5 py-4">
          <div className="min-w-0">
            <h2 id={titleId} dir="auto" className="stranger text-lg font-semibold tracking-[-0.01em]">
              {title}
            </h2>
            {description && <div className="mt-0.5 text-sm text-ink-soft">{description}</div>}
          </div>
          <Button variant="ghost" size="icon-sm" onClick={onClose} aria-label={t.actions.close} className="-mr-1.5">
            <X aria-hidden className="size-4" />
          </Button>
        </header>
        <div className={cn("min-h-0 flex-1 overflow-y-auto", !isFlush && "px-5 py-4")}>{children}</div>
        {foot && <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">{foot}</footer>}
      </div>
    </Modal>
  );
}
