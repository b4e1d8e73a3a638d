import { OPERATORS, takesList, takesValue } from "@/features/report/conditions";
import { onProperty } from "@/features/report/property-change";
import { PropertyInput, ValueInput } from "@/features/report/property-fields";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { NativeSelect } from "@/ui/input";
import { X } from "lucide-react";
import { useRef } from "react";
import { useController, useFormContext, useWatch } from "react-hook-form";
import type { Draft } from "./draft";

type FiltersName = "filters" | `stages.${number}.filters` | `exclusions.${number}.filters`;

interface Props {
  projectId: string;
  name: FiltersName;
  ids: readonly string[];
  /** Properties and values are suggested from these events; from all when there is none. */
  eventTypes: readonly string[];
  onRemove: (index: number) => void;
}

/** Conditions on one event; all of them must hold. */
export function FilterRows({ projectId, name, ids, eventTypes, onRemove }: Props) {
  return ids.map((id, index) => (
    <FilterRow key={id} projectId={projectId} path={`${name}.${index}`} isFirst={index === 0} eventTypes={eventTypes} onRemove={() => onRemove(index)} />
  ));
}

interface RowProps {
  projectId: string;
  path: `${FiltersName}.${number}`;
  isFirst: boolean;
  eventTypes: readonly string[];
  onRemove: () => void;
}

function FilterRow({ projectId, path, isFirst, eventTypes, onRemove }: RowProps) {
  const { register, getValues, setValue } = useFormContext<Draft>();
  const operator = useWatch<Draft, `${typeof path}.op`>({ name: `${path}.op` });
  const property = useController<Draft, `${typeof path}.property`>({ name: `${path}.property` });
  const value = useController<Draft, `${typeof path}.value`>({ name: `${path}.value` });
  const said = useRef(getValues(path));
  const say = (): void => {
    said.current = { ...getValues(path) };
  };
  const change = (name: string): void => {
    const next = onProperty(getValues(path), said.current, name);
    property.field.onChange(next.property);
    setValue(`${path}.op`, next.op, { shouldDirty: true });
    setValue(`${path}.value`, next.value, { shouldDirty: true });
    setValue(`${path}.kind`, next.value === said.current.value ? said.current.kind : "text");
  };
  const words = t.builder.filter;
  return (
    <div className="mt-2 grid grid-cols-[3rem_minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[3rem_minmax(0,1fr)_9.5rem_minmax(0,1fr)_auto]">
      <span className="pt-2 text-sm text-ink-faint">{isFirst ? words.where : words.and}</span>
      <Field label={words.property} labelHidden error={property.fieldState.error?.message}>
        {(wiring) => (
          <PropertyInput
            projectId={projectId}
            wiring={wiring}
            value={property.field.value}
            onChange={change}
            onBlur={() => {
              property.field.onBlur();
              say();
            }}
            eventTypes={eventTypes}
          />
        )}
      </Field>
      <Button variant="ghost" size="icon" aria-label={words.remove} onClick={onRemove} className="mt-0.5 text-ink-faint sm:order-last">
        <X aria-hidden className="size-4" />
      </Button>
      <Field label={words.operator} labelHidden className="col-start-2 sm:col-start-auto">
        {(wiring) => (
          <NativeSelect {...wiring} {...register(`${path}.op`, { onChange: say })}>
            {OPERATORS.map((one) => (
              <option key={one} value={one}>
                {t.builder.operators[one]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      {takesValue(operator) ? (
        <Field label={words.value} labelHidden error={value.fieldState.error?.message} className="col-start-2 sm:col-start-auto">
          {(wiring) => (
            <ValueInput
              projectId={projectId}
              property={property.field.value}
              wiring={wiring}
              value={value.field.value}
              isList={takesList(operator)}
              onChange={(text) => {
                value.field.onChange(text);
                say();
              }}
              onBlur={value.field.onBlur}
              eventTypes={eventTypes}
              placeholder={takesList(operator) ? words.listHint : words.value}
            />
          )}
        </Field>
      ) : (
        <span className="hidden sm:block" />
      )}
    </div>
  );
}
