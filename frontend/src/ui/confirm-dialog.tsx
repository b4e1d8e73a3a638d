import { t } from "@/lib/strings";
import type { ReactNode } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";

interface Props {
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  description: ReactNode;
  confirm: string;
  busy: boolean;
}

export function ConfirmDialog({ open, onClose, onConfirm, title, description, confirm, busy }: Props) {
  return (
    <Dialog open={open} onClose={onClose} title={title} description={description}>
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>{t.actions.cancel}</Button>
        <Button variant="danger" busy={busy} onClick={onConfirm}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}
