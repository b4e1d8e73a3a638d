import { t } from "@/lib/strings";
import { Button } from "./button";

/** In the place of a row that was deleted, as long as it can be taken back. */
export function UndoRow({ text, onUndo }: { text: string; onUndo: () => void }) {
  return (
    <li role="status" className="flex min-h-12 items-center justify-between gap-3 py-2 text-sm text-ink-soft">
      {text}
      <Button size="sm" onClick={onUndo}>
        {t.actions.undo}
      </Button>
    </li>
  );
}
