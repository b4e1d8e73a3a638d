import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useFormContext, useWatch, type FieldPath } from "react-hook-form";
import type { ReactNode } from "react";
import type { Draft } from "./draft";
import { w } from "./words";

type Choice = "order" | "strictScope" | "range" | "entry" | "count" | "tie" | "unit" | "sessions" | "exclusionMode";

interface ChoiceProps<Value extends string> {
  name: Choice;
  words: { label: string; choices: Record<Value, { label: string; text: string }> };
  children?: ReactNode;
}

/** One of a few, with what the chosen one means below it. */
export function OptionChoice<Value extends string>({ name, words, children }: ChoiceProps<Value>) {
  const { register, formState } = useFormContext<Draft>();
  const chosen = useWatch<Draft, Choice>({ name }) as Value;
  const keys = Object.keys(words.choices) as Value[];
  return (
    <Field label={words.label} hint={words.choices[chosen]?.text} error={formState.errors[name]?.message}>
      {(wiring) => (
        <div className="flex gap-2">
          <NativeSelect {...wiring} {...register(name)}>
            {keys.map((key) => (
              <option key={key} value={key}>
                {words.choices[key].label}
              </option>
            ))}
          </NativeSelect>
          {children}
        </div>
      )}
    </Field>
  );
}

interface CheckProps {
  name: FieldPath<Draft>;
  label: string;
  text: string;
  disabled?: boolean;
  className?: string;
}

export function OptionCheck({ name, label, text, disabled = false, className }: CheckProps) {
  const { register, getFieldState, formState } = useFormContext<Draft>();
  const error = getFieldState(name, formState).error?.message;
  const said = typeof error === "string" ? error : null;
  return (
    <label className={cn("flex items-start gap-2.5 text-sm", disabled && "opacity-60", className)}>
      <input type="checkbox" className="mt-0.5 size-4 shrink-0 accent-(--accent)" disabled={disabled} aria-invalid={error ? true : undefined} {...register(name)} />
      <span>
        <span className="font-medium">{label}</span>
        <span className="block text-ink-faint">{text}</span>
        {said && (
          <span role="alert" className="block text-danger">
            {said}
          </span>
        )}
      </span>
    </label>
  );
}

const UNITS = ["seconds", "minutes", "hours", "days"] as const;

/** A length of time that may be left empty. */
export function SpanField({ name, label }: { name: `stages.${number}.within` | `stages.${number}.after`; label: string }) {
  const { register, getFieldState, formState } = useFormContext<Draft>();
  return (
    <Field label={label} error={getFieldState(`${name}.amount`, formState).error?.message}>
      {(wiring) => (
        <div className="flex gap-2">
          <Input {...wiring} inputMode="decimal" autoComplete="off" placeholder={w.builder.anyTime} className="figures w-24" {...register(`${name}.amount`)} />
          <NativeSelect aria-label={`${label}: ${t.builder.windowUnit}`} className="w-32" {...register(`${name}.unit`)}>
            {UNITS.map((one) => (
              <option key={one} value={one}>
                {w.builder.units[one]}
              </option>
            ))}
          </NativeSelect>
        </div>
      )}
    </Field>
  );
}
