import { propertiesQuery } from "@/features/report/queries";
import { compactCount, count } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";
import { Button } from "@/ui/button";
import { Input } from "@/ui/input";
import { Popover } from "@/ui/popover";
import { useQuery } from "@tanstack/react-query";
import { ArrowUp, Columns3, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { BUILT_IN, columnLabel, COLUMNS_MAX, propertyColumn, USUAL_COLUMNS } from "./log-question";
import { words as allWords } from "./words";

const words = allWords.picker;
const TYPING_MS = 150;

interface Props {
  projectId: string;
  eventTypes: readonly string[];
  columns: readonly string[];
  onChange: (columns: string[]) => void;
}

/** Which columns and properties the table shows, and in which order. */
export function ColumnPicker({ projectId, eventTypes, columns, onChange }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      label={words.title}
      align="end"
      className="flex max-h-[min(36rem,80vh)] w-[min(22rem,calc(100vw-1rem))] flex-col gap-3"
      trigger={
        <Button size="sm">
          <Columns3 aria-hidden className="size-3.5 text-ink-faint" />
          {words.button}
        </Button>
      }
    >
      <Choice projectId={projectId} eventTypes={eventTypes} columns={columns} onChange={onChange} />
    </Popover>
  );
}

function Choice({ projectId, eventTypes, columns, onChange }: Props) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  const seen = useQuery(propertiesQuery(projectId, useDebounced(typed.trim(), TYPING_MS), eventTypes));
  const isFull = columns.length >= COLUMNS_MAX;
  const builtIn = BUILT_IN.filter((name) => name.toLowerCase().includes(wanted) && !columns.includes(name));
  const properties = (seen.data?.properties ?? []).filter((one) => !columns.includes(propertyColumn(one.name)));
  const add = (column: string): void => onChange([...columns, column]);
  return (
    <>
      <Input aria-label={words.search} placeholder={words.search} value={typed} dir="auto" onChange={(event) => setTyped(event.target.value)} />
      <div className="-mx-1 min-h-0 flex-1 overflow-y-auto px-1">
        {columns.length > 0 && (
          <Group title={words.shown}>
            {columns.map((name, at) => (
              <li key={name} className="flex min-h-8 items-center gap-1 rounded-lg pl-2 text-sm hover:bg-hover">
                <Name column={name} />
                {at > 0 && (
                  <Button variant="ghost" size="icon-sm" aria-label={words.up(columnLabel(name))} onClick={() => onChange(movedUp(columns, at))}>
                    <ArrowUp aria-hidden className="size-3.5" />
                  </Button>
                )}
                <Button variant="ghost" size="icon-sm" aria-label={words.remove(columnLabel(name))} onClick={() => onChange(columns.filter((one) => one !== name))}>
                  <X aria-hidden className="size-3.5" />
                </Button>
              </li>
            ))}
          </Group>
        )}
        {isFull ? (
          <p className="px-2 py-2 text-sm text-ink-faint">{words.full(String(COLUMNS_MAX))}</p>
        ) : (
          <>
            {properties.length > 0 && (
              <Group title={words.properties}>
                {properties.map((one) => (
                  <Add key={one.name} column={propertyColumn(one.name)} detail={compactCount(one.events)} title={words.seen(count(one.events))} onAdd={add} />
                ))}
              </Group>
            )}
            {builtIn.length > 0 && (
              <Group title={words.columns}>
                {builtIn.map((name) => (
                  <Add key={name} column={name} onAdd={add} />
                ))}
              </Group>
            )}
            {properties.length === 0 && builtIn.length === 0 && <p className="px-2 py-3 text-sm text-ink-faint">{words.none}</p>}
          </>
        )}
      </div>
      <Button size="sm" variant="ghost" className="self-start" onClick={() => onChange(USUAL_COLUMNS)}>
        {words.reset}
      </Button>
    </>
  );
}

function movedUp(columns: readonly string[], at: number): string[] {
  const moved = [...columns];
  const [one] = moved.splice(at, 1);
  if (one !== undefined) moved.splice(at - 1, 0, one);
  return moved;
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="pb-2">
      <h3 className="px-2 pb-1 text-xs font-medium text-ink-faint">{title}</h3>
      <ul>{children}</ul>
    </section>
  );
}

function Name({ column }: { column: string }) {
  return (
    <span dir="auto" className="stranger line-clamp-1 min-w-0 flex-1" title={columnLabel(column)}>
      {columnLabel(column)}
    </span>
  );
}

function Add({ column, detail, title, onAdd }: { column: string; detail?: string; title?: string; onAdd: (column: string) => void }) {
  return (
    <li>
      <button type="button" onClick={() => onAdd(column)} title={title} className="flex min-h-8 w-full items-center gap-3 rounded-lg px-2 text-left text-sm hover:bg-hover">
        <Name column={column} />
        {detail && <span className="figures text-xs text-ink-faint">{detail}</span>}
      </button>
    </li>
  );
}
