import { EventNameInput } from "@/features/report/event-field";
import { count } from "@/lib/format";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Popover } from "@/ui/popover";
import { ChevronDown, X } from "lucide-react";
import { useState } from "react";
import { NAMES_MAX } from "./log-question";
import { words as allWords } from "./words";

const words = allWords.names;

interface Props {
  projectId: string;
  names: readonly string[];
  onChange: (names: string[]) => void;
  /** How many may be chosen; of one the next takes the place. */
  most?: number;
}

/** Which events are shown: all, one, or several, chosen by name. */
export function EventNamesField({ projectId, names, onChange, most = NAMES_MAX }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const add = (): void => {
    const name = typed.trim();
    if (name !== "" && !names.includes(name)) onChange(most === 1 ? [name] : [...names, name]);
    setTyped("");
  };
  const isFull = most > 1 && names.length >= most;
  const label = names.length === 0 ? words.all : names.length === 1 ? names[0] : words.some(count(names.length));
  return (
    <Popover
      open={isOpen}
      onOpenChange={(next) => {
        // What was chosen from the list counts, with or without the button.
        if (!next) add();
        setOpen(next);
      }}
      label={words.label}
      className="w-[min(24rem,calc(100vw-1rem))]"
      trigger={
        <Button size="sm" aria-label={`${words.label}: ${label ?? ""}`} className="max-w-72">
          <span dir="auto" className="stranger truncate">
            {label}
          </span>
          <ChevronDown aria-hidden className="size-3.5 text-ink-faint" />
        </Button>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          add();
          if (most === 1) setOpen(false);
        }}
      >
        <Field label={words.add} hint={isFull ? words.many : words.lead}>
          {(wiring) => (
            <div className="flex gap-2">
              <div className="min-w-0 flex-1">
                <EventNameInput projectId={projectId} wiring={wiring} value={typed} onChange={setTyped} />
              </div>
              <Button type="submit" disabled={isFull}>
                {words.addAction}
              </Button>
            </div>
          )}
        </Field>
        {names.length > 0 && (
          <ul className="flex max-h-56 flex-col gap-0.5 overflow-y-auto">
            {names.map((name) => (
              <li key={name} className="flex min-h-8 items-center justify-between gap-2 rounded-lg pl-2.5 text-sm hover:bg-hover">
                <span dir="auto" className="stranger line-clamp-1 min-w-0">
                  {name}
                </span>
                <Button variant="ghost" size="icon-sm" aria-label={words.remove(name)} onClick={() => onChange(names.filter((one) => one !== name))}>
                  <X aria-hidden className="size-3.5" />
                </Button>
              </li>
            ))}
          </ul>
        )}
        {names.length > 0 && (
          <Button size="sm" variant="ghost" className="self-start" onClick={() => onChange([])}>
            {words.clear}
          </Button>
        )}
      </form>
    </Popover>
  );
}
