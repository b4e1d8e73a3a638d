import { cn } from "@/lib/class-names";
import { useId, type ReactNode } from "react";

interface Props<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode }[];
  onChange: (value: Value) => void;
  className?: string;
}

/** A choice of a few, as radio buttons that look like one control. */
export function Segmented<Value extends string>({ label, value, options, onChange, className }: Props<Value>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={cn("inline-flex rounded-lg bg-sunken p-0.5", className)}>
      {options.map((option) => (
        <label
          key={option.value}
          className={cn(
            "relative cursor-pointer rounded-md px-2.5 py-1 text-sm font-medium transition-colors duration-150 has-focus-visible:outline-2 has-focus-visible:outline-ring",
            option.value === value ? "bg-surface text-ink shadow-card ring-1 ring-line dark:bg-line" : "text-ink-soft hover:text-ink",
          )}
        >
          <input
            type="radio"
            className="absolute inset-0 cursor-pointer opacity-0"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}
