import { t } from "@/lib/strings";
import { Button } from "@/ui/button";

/** The end of a small form in a popover: what was changed is taken, or left. */
export function ApplyRow({ onCancel }: { onCancel: () => void }) {
  return (
    <div className="flex justify-end gap-2">
      <Button size="sm" variant="ghost" onClick={onCancel}>
        {t.actions.cancel}
      </Button>
      <Button size="sm" variant="primary" type="submit">
        {t.range.apply}
      </Button>
    </div>
  );
}
