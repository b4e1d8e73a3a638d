import { cn } from "@/lib/class-names";
import { Scroller } from "./scroller";
import { useRef, type KeyboardEvent, type ReactNode } from "react";

interface Props<Value extends string> {
  label: string;
  value: Value;
  tabs: readonly { value: Value; label: ReactNode }[];
  onChange: (value: Value) => void;
  className?: string;
}

/** The ids that tie a tab to its panel: `<div role="tabpanel" {...panelOf(label, value)}>`. */
const idOf = (label: string, value: string): string => `tab-${label.replace(/\W+/g, "-")}-${value}`;

export function panelOf(label: string, value: string): { role: "tabpanel"; id: string; "aria-labelledby": string } {
  return { role: "tabpanel", id: `${idOf(label, value)}-panel`, "aria-labelledby": idOf(label, value) };
}

/** Tabs after the ARIA pattern: one stop in the tab order, arrows move and choose. */
export function Tabs<Value extends string>({ label, value, tabs, onChange, className }: Props<Value>) {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = tabs.findIndex((tab) => tab.value === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    onChange(next.value);
    list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.value)}"]`)?.focus();
  };
  return (
    <Scroller className={cn("overflow-clip rounded-t-[11px]", className)} inside="overflow-y-hidden">
      <div ref={list} role="tablist" aria-label={label} onKeyDown={onKeyDown} className="flex w-max min-w-full gap-1 border-b border-line px-3">
        {tabs.map((tab) => (
          <button
            key={tab.value}
            type="button"
            role="tab"
            id={idOf(label, tab.value)}
            data-tab={tab.value}
            aria-selected={tab.value === value}
            aria-controls={tab.value === value ? `${idOf(label, tab.value)}-panel` : undefined}
            tabIndex={tab.value === value ? 0 : -1}
            onClick={() => onChange(tab.value)}
            className={cn(
              "relative h-10 shrink-0 rounded-t-lg px-2.5 text-sm font-medium whitespace-nowrap -outline-offset-2 transition-colors duration-150",
              tab.value === value
                ? "text-ink after:absolute after:inset-x-2.5 after:-bottom-px after:h-0.5 after:rounded-full after:bg-accent"
                : "text-ink-soft hover:text-ink",
            )}
          >
            {tab.label}
          </button>
        ))}
      </div>
    </Scroller>
  );
}
