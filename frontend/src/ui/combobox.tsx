import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { FieldWiring } from "./field";
import { inputLook } from "./input";
import { useListRoom } from "./use-list-room";

export interface ComboboxOption {
  value: string;
  /** What stands for the value; the value itself when it is left out. */
  label?: string;
  detail?: ReactNode;
}

interface Props {
  wiring: FieldWiring;
  value: string;
  /** What stands in the field for the value; typing there makes a new value. */
  text?: string;
  /** What of the text is completed, where that is not all of it. */
  part?: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  /** The value is meant: taken from the list, or as typed with Enter. */
  onTake?: (value: string) => void;
  /** What tells the chosen value from another of the same text; it stands in the field. */
  mark?: string | undefined;
  /** May be those of an older text: only what holds the present one is offered. */
  options: readonly ComboboxOption[];
  loading?: boolean;
  placeholder?: string;
  emptyText: string;
  className?: string;
}

/** Free text with suggestions, after the ARIA combobox pattern: arrows move, Enter takes, Escape closes. */
export function Combobox({ wiring, value, text = value, part = text, onChange, onBlur, onTake, mark, options: known, loading = false, placeholder, emptyText, className }: Props) {
  const [open, setOpen] = useState(false);
  const [activeValue, setActive] = useState<string | null>(null);
  const listId = useId();
  const markId = `${listId}-mark`;
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const typed = part.trim().toLowerCase();
  const options = known.filter((option) => (option.label ?? option.value).toLowerCase().includes(typed));
  // By value: an answer that comes in may put another option in the same place.
  const active = options.findIndex((option) => option.value === activeValue);
  const shown = open && (options.length > 0 || loading || value !== "");
  const room = useListRoom(input, shown);
  const optionId = (index: number): string => `${listId}-${index}`;

  const take = (option: ComboboxOption): void => {
    onChange(option.value);
    onTake?.(option.value);
    setOpen(false);
    setActive(null);
  };
  const move = (step: number): void => {
    if (options.length === 0) return;
    const next = (active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length;
    setActive(options[next]?.value ?? null);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) move(event.key === "ArrowDown" ? 1 : -1);
      else setOpen(true);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === "Enter" && shown) {
      const option = options[active];
      event.preventDefault();
      if (option) return take(option);
      setOpen(false);
      onTake?.(value);
    }
  };

  return (
    <div className={cn("relative", className)}>
      <input
        {...wiring}
        {...(mark && { title: `${text} (${mark})`, "aria-describedby": [wiring["aria-describedby"], markId].filter(Boolean).join(" ") })}
        ref={input}
        role="combobox"
        aria-expanded={shown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? optionId(active) : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        dir="auto"
        className={cn(inputLook, mark && "pr-18")}
        placeholder={placeholder}
        value={text}
        onChange={(event) => {
          onChange(event.target.value);
          setActive(null);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setActive(null);
          onBlur?.();
        }}
        onKeyDown={onKeyDown}
      />
      {mark && (
        <span id={markId} className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-xs text-ink-faint">
          {mark}
        </span>
      )}
      {shown && (
        <div
          className={cn(
            "absolute inset-x-0 z-30 animate-rise overflow-hidden rounded-xl border border-line bg-surface shadow-pop",
            room.isAbove ? "bottom-full mb-1.5" : "top-full mt-1.5",
          )}
        >
          <ul ref={list} id={listId} role="listbox" className="overflow-y-auto p-1" style={{ maxHeight: room.height }}>
            {options.map((option, index) => (
              <li
                key={option.value}
                id={optionId(index)}
                role="option"
                aria-selected={option.value === value}
                // Pointer down would blur the field and close the list before the click lands.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(option)}
                onMouseMove={() => setActive(option.value)}
                className={cn(
                  "flex cursor-pointer items-baseline justify-between gap-4 rounded-lg px-2.5 py-1.5 text-sm",
                  index === active && "bg-hover",
                )}
              >
                <span dir="auto" className={cn("stranger line-clamp-2 min-w-0", option.value === value && "font-medium text-accent-ink")}>
                  {option.label ?? option.value}
                </span>
                {option.detail && <span className="figures shrink-0 text-xs text-ink-faint">{option.detail}</span>}
              </li>
            ))}
          </ul>
          {options.length === 0 && (
            <p className="px-3.5 pt-1 pb-3 text-sm text-ink-faint">{loading ? t.states.loading : emptyText}</p>
          )}
        </div>
      )}
    </div>
  );
}
