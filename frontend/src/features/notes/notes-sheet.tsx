import type { SavedNote } from "@/api/saved-types";
import { useMay } from "@/features/account/use-role";
import { useProjectZone } from "@/features/projects/queries";
import { isDay, todayIn, type Day } from "@/lib/dates";
import { t } from "@/lib/strings";
import { useUndoableDelete } from "@/lib/use-undoable-delete";
import { cn } from "@/lib/class-names";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input, inputLook } from "@/ui/input";
import { Failure, FormError } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { UndoRow } from "@/ui/undo-row";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { dayOfNote, whenText } from "./note-places";
import { deleteNote, notesQuery, useSaveNote } from "./queries";
import { words } from "./words";

interface Props {
  projectId: string;
  /** The day of a new note; today unless said. A chart gives the day that was picked. */
  day?: Day;
  onClose: () => void;
}

/** Notes on dates: one is written above, those that there are stand below, newest first. */
export function NotesSheet({ projectId, day, onClose }: Props) {
  const client = useQueryClient();
  const notes = useQuery(notesQuery(projectId, null));
  const timeZone = useProjectZone(projectId);
  const mayWrite = useMay("editor");
  const [edited, setEdited] = useState<SavedNote | null>(null);
  const { hidden, drop, restore } = useUndoableDelete({
    said: words.removed,
    isQuiet: true,
    remove: (id) => deleteNote(projectId, id),
    onRemoved: () => void client.invalidateQueries({ queryKey: ["notes", projectId] }),
  });
  const listed = [...(notes.data ?? [])].reverse();
  return (
    <Sheet open onClose={onClose} title={words.title} description={words.lead}>
      {mayWrite && <NoteForm key={edited?.id ?? "new"} projectId={projectId} note={edited} timeZone={timeZone} day={day ?? todayIn(timeZone, new Date())} onDone={() => setEdited(null)} />}
      <div className="mt-5 border-t border-line pt-2">
        {notes.isError && !notes.data ? (
          <Failure error={notes.error} onRetry={() => void notes.refetch()} className="py-6" />
        ) : !notes.data ? (
          <Skeleton className="mt-3 h-12 rounded-lg" />
        ) : listed.length === 0 ? (
          <p className="py-3 text-sm text-ink-faint">{words.none}</p>
        ) : (
          <ul className="divide-y divide-line">
            {listed.map((note) =>
              hidden.has(note.id) ? (
                <UndoRow key={note.id} text={words.removed} onUndo={() => restore(note.id)} />
              ) : (
                <li key={note.id} className="flex items-start gap-2 py-3">
                  <div className="min-w-0 flex-1">
                    <p className="figures text-xs text-ink-faint">{[whenText(note, timeZone), note.author && words.by(note.author)].filter(Boolean).join(" · ")}</p>
                    <p dir="auto" className="stranger text-sm whitespace-pre-wrap">
                      {note.text}
                    </p>
                  </div>
                  {mayWrite && (
                    <>
                      <Button variant="ghost" size="icon-sm" aria-label={words.edit(note.text)} onClick={() => setEdited(note)}>
                        <Pencil aria-hidden className="size-3.5" />
                      </Button>
                      <Button variant="ghost" size="icon-sm" aria-label={words.remove(note.text)} onClick={() => drop(note.id)}>
                        <Trash2 aria-hidden className="size-3.5" />
                      </Button>
                    </>
                  )}
                </li>
              ),
            )}
          </ul>
        )}
      </div>
    </Sheet>
  );
}

interface FormProps {
  projectId: string;
  note: SavedNote | null;
  timeZone: string;
  day: Day;
  onDone: () => void;
}

function NoteForm({ projectId, note, timeZone, day, onDone }: FormProps) {
  const save = useSaveNote(projectId);
  const [text, setText] = useState(note?.text ?? "");
  const [start, setStart] = useState(note ? dayOfNote(note.start, timeZone) : day);
  const [end, setEnd] = useState(note?.end ? dayOfNote(note.end, timeZone) : "");
  const [isTried, setTried] = useState(false);
  const faults = {
    text: text.trim() === "" ? words.needs.text : undefined,
    start: isDay(start) ? undefined : words.needs.day,
    end: end !== "" && end < start ? words.needs.last : undefined,
  };
  const submit = (): void => {
    setTried(true);
    if (faults.text ?? faults.start ?? faults.end) return;
    // The instant of a note stays while its day does.
    const kept = note && dayOfNote(note.start, timeZone) === start ? note.start : start;
    save.mutate(
      { id: note?.id ?? null, body: { start: kept, end: end === "" || end === start ? null : end, text: text.trim() } },
      {
        onSuccess: () => {
          setText("");
          setEnd("");
          setTried(false);
          onDone();
        },
      },
    );
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <FormError error={save.error} />
      <Field label={words.text} error={isTried ? faults.text : undefined}>
        {(wiring) => (
          <textarea {...wiring} dir="auto" rows={2} maxLength={500} placeholder={words.textPlaceholder} value={text} onChange={(event) => setText(event.target.value)} className={cn(inputLook, "h-auto py-2")} />
        )}
      </Field>
      <div className="grid grid-cols-2 gap-3">
        <Field label={words.day} error={isTried ? faults.start : undefined}>
          {(wiring) => <Input {...wiring} type="date" value={start} onChange={(event) => setStart(event.target.value)} />}
        </Field>
        <Field label={words.last} hint={words.lastHint} error={isTried ? faults.end : undefined}>
          {(wiring) => <Input {...wiring} type="date" min={start} value={end} onChange={(event) => setEnd(event.target.value)} />}
        </Field>
      </div>
      <div className="flex justify-end gap-2">
        {note && <Button onClick={onDone}>{t.actions.cancel}</Button>}
        <Button type="submit" variant="primary" busy={save.isPending}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}
