import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";

interface Props {
  head: string;
  /** Null: the table is not sorted by this column. */
  way: "ascending" | "descending" | null;
  isNumber?: boolean;
  onClick: () => void;
}

/** The head of a column that sorts its table; `aria-sort` belongs to the cell around it. */
export function SortButton({ head, way, isNumber = false, onClick }: Props) {
  const Icon = way === null ? ChevronsUpDown : way === "descending" ? ArrowDown : ArrowUp;
  return (
    <button type="button" title={t.table.sortBy(head)} onClick={onClick} className={cn("inline-flex max-w-full items-center gap-1 rounded hover:text-ink", isNumber && "flex-row-reverse")}>
      <span className="truncate">{head}</span>
      <Icon aria-hidden className={cn("size-3 shrink-0", way === null && "opacity-50")} />
    </button>
  );
}
