import { useEffect, useRef, type ReactNode } from "react";

interface Props {
  open: boolean;
  onClose: () => void;
  /** Id of its heading. */
  titleId: string;
  className: string;
  children: ReactNode;
}

/** The browser's own modal dialog: focus trap, inert page and Escape without a style tag the security policy would refuse. */
export function Modal({ open, onClose, titleId, className, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog || !open || dialog.open) return;
    dialog.showModal();
    return () => dialog.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
      className={className}
    >
      {children}
    </dialog>
  );
}
