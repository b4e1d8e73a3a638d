import { useMay } from "@/features/account/use-role";
import type { Saveable } from "@/features/boards/saved-choice";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { useToast } from "@/ui/toast";
import { BookmarkPlus, Download, Ellipsis, Link2, NotebookPen } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";

const SaveViewDialog = lazy(async () => ({ default: (await import("@/features/boards/save-view")).SaveViewDialog }));
const NotesSheet = lazy(async () => ({ default: (await import("@/features/notes/notes-sheet")).NotesSheet }));

const FORMATS = ["csv", "ndjson", "parquet"] as const;
export type FileFormat = (typeof FORMATS)[number];

interface Props {
  /** Asks for the report's flat table in a format and saves it; without it the report has no files. */
  onExport?: (format: FileFormat) => Promise<void>;
  formats?: readonly FileFormat[];
  /** The project whose views and notes on dates are offered to those who may make them. */
  projectId?: string;
  /** What is asked now, to be saved as a view or put on a board. */
  saveable?: Saveable | null;
  children?: ReactNode;
}

/** Copy link and export, the same on every report; `children` are the page's own items. */
export function ReportMenu({ onExport, formats = FORMATS, projectId, saveable = null, children }: Props) {
  const [open, setOpen] = useState<"view" | "notes" | null>(null);
  const mayMake = useMay("editor");
  const close = (): void => setOpen(null);
  const toast = useToast();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(globalThis.location.href);
      toast({ text: t.report.linkCopied });
    } catch {
      toast({ tone: "danger", text: t.actions.copyFailed });
    }
  };
  const save = async (format: FileFormat): Promise<void> => {
    try {
      await onExport?.(format);
    } catch (error) {
      toast({ tone: "danger", text: error instanceof Error ? error.message : t.problems.failed });
    }
  };
  return (
    <>
      <Menu
        trigger={
          <Button variant="ghost" size="icon" aria-label={t.report.actions}>
            <Ellipsis aria-hidden className="size-4" />
          </Button>
        }
      >
        <MenuItem onSelect={() => void copy()}>
          <Link2 aria-hidden />
          {t.report.copyLink}
        </MenuItem>
        {projectId && mayMake && saveable && (
          <MenuItem onSelect={() => setOpen("view")}>
            <BookmarkPlus aria-hidden />
            {t.report.saveView}
          </MenuItem>
        )}
        {projectId && mayMake && (
          <MenuItem onSelect={() => setOpen("notes")}>
            <NotebookPen aria-hidden />
            {t.report.notes}
          </MenuItem>
        )}
        {children}
        {onExport && (
          <>
            <MenuLine />
            <MenuLabel>{t.report.export}</MenuLabel>
            {formats.map((format) => (
              <MenuItem key={format} onSelect={() => void save(format)}>
                <Download aria-hidden />
                {t.report.formats[format]}
              </MenuItem>
            ))}
          </>
        )}
      </Menu>
      <Suspense fallback={null}>
        {open === "view" && projectId && saveable && <SaveViewDialog projectId={projectId} saveable={saveable} onClose={close} />}
        {open === "notes" && projectId && <NotesSheet projectId={projectId} onClose={close} />}
      </Suspense>
    </>
  );
}
