import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { FieldWiring } from "./field";
import { inputLook } from "./input";

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
  onChange: (value: string) => void;
  onBlur?: () => void;
  options: readonly ComboboxOption[];
  loading?: boolean;
  placeholder?: string;
  emptyText: string;
  className?: string;
}

/** Free text with suggestions, after the ARIA combobox pattern: arrows move, Enter takes, Escape closes. */
export function Combobox({ wiring, value, text = value, onChange, onBlur, options, loading = false, placeholder, emptyText, className }: Props) {
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const listId = useId();
  const list = useRef<HTMLUListElement>(null);
  const shown = open && (options.length > 0 || loading || value !== "");
  const optionId = (index: number): string => `${listId}-${index}`;

  const take = (option: ComboboxOption): void => {
    onChange(option.value);
    setOpen(false);
    setActive(-1);
  };
  const move = (step: number): void => {
    if (options.length === 0) return;
    const next = (active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length;
    setActive(next);
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
      if (option) take(option);
      else setOpen(false);
    }
  };

  return (
    <div className={cn("relative", className)}>
      <input
        {...wiring}
        role="combobox"
        aria-expanded={shown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? optionId(active) : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        dir="auto"
        className={inputLook}
        placeholder={placeholder}
        value={text}
        onChange={(event) => {
          onChange(event.target.value);
          setActive(-1);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setActive(-1);
          onBlur?.();
        }}
        onKeyDown={onKeyDown}
      />
      {shown && (
        <div className="absolute inset-x-0 top-full z-30 mt-1.5 animate-rise overflow-hidden rounded-xl border border-line bg-surface shadow-pop">
          <ul ref={list} id={listId} role="listbox" className="max-h-72 overflow-y-auto p-1">
            {options.map((option, index) => (
              <li
                key={option.value}
                id={optionId(index)}
                role="option"
                aria-selected={option.value === value}
                // Pointer down would blur the field and close the list before the click lands.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(option)}
                onMouseMove={() => setActive(index)}
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
