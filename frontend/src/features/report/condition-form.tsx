import type { Condition } from "@/api/types";
import { t } from "@/lib/strings";
import { Field } from "@/ui/field";
import { NativeSelect } from "@/ui/input";
import { useState } from "react";
import { ApplyRow } from "./apply-row";
import { conditionOf, OPERATORS, takesList, takesNumber, takesValue, valueText, type Operator } from "./conditions";
import { onProperty } from "./property-change";
import { PropertyInput, ValueInput } from "./property-fields";

interface Props {
  projectId: string;
  eventTypes: readonly string[];
  condition?: Condition;
  onApply: (condition: Condition) => void;
  onCancel: () => void;
}

interface Draft {
  property: string;
  op: Operator;
  value: string;
}

/** One condition, edited apart from the address until it is whole. */
export function ConditionForm({ projectId, eventTypes, condition, onApply, onCancel }: Props) {
  const [draft, setDraft] = useState<Draft>({ property: condition?.property ?? "", op: condition?.op ?? "eq", value: condition ? valueText(condition) : "" });
  const [said, setSaid] = useState(draft);
  const [isTried, setTried] = useState(false);
  const words = t.builder.filter;
  const { property, op, value } = draft;
  const say = (change: Partial<Draft>): void => {
    setDraft({ ...draft, ...change });
    setSaid({ ...draft, ...change });
  };
  const apply = (): void => {
    const next = conditionOf(property, op, value, property === condition?.property ? condition.value : undefined);
    setTried(true);
    if (next) onApply(next);
  };
  const valueFault = value.trim() === "" ? t.builder.invalid.value : takesNumber(op) && Number.isNaN(Number(value)) ? t.builder.invalid.number : undefined;
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        // The form may stand inside another form's popover.
        event.stopPropagation();
        apply();
      }}
    >
      <Field label={words.property} error={isTried && property.trim() === "" ? t.builder.invalid.property : undefined}>
        {(wiring) => (
          <PropertyInput
            projectId={projectId}
            wiring={wiring}
            value={property}
            onChange={(next) => setDraft((now) => onProperty(now, said, next))}
            onBlur={() => setSaid(draft)}
            eventTypes={eventTypes}
          />
        )}
      </Field>
      <Field label={words.operator}>
        {(wiring) => (
          <NativeSelect {...wiring} value={op} onChange={(event) => say({ op: event.target.value as Operator })}>
            {OPERATORS.map((one) => (
              <option key={one} value={one}>
                {t.builder.operators[one]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      {takesValue(op) && (
        <Field label={words.value} hint={takesList(op) ? words.listHint : undefined} error={isTried ? valueFault : undefined}>
          {(wiring) => (
            <ValueInput projectId={projectId} property={property} wiring={wiring} value={value} isList={takesList(op)} onChange={(next) => say({ value: next })} eventTypes={eventTypes} />
          )}
        </Field>
      )}
      <ApplyRow onCancel={onCancel} />
    </form>
  );
}
