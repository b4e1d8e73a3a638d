import { compactCount } from "@/lib/format";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { Combobox } from "@/ui/combobox";
import type { FieldWiring } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { isBuiltIn, propertyLabel } from "./conditions";
import { propertiesQuery, TYPING_MS, valuesQuery } from "./queries";

interface PropertyProps {
  projectId: string;
  wiring: FieldWiring;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  onTake?: (value: string) => void;
  /** Only properties of these events are suggested; none means of all. */
  eventTypes?: readonly string[];
  placeholder?: string;
  /** Only properties that hold numbers. */
  isNumeric?: boolean;
}

/** A property or built-in column by its name in filters, suggested from events that arrived. */
export function PropertyInput({ projectId, wiring, value, onChange, onBlur, onTake, eventTypes = [], placeholder, isNumeric = false }: PropertyProps) {
  const text = propertyLabel(value);
  const words = useDebounced(text.trim(), TYPING_MS);
  const seen = useQuery(propertiesQuery(projectId, words, eventTypes));
  const properties = (seen.data?.properties ?? []).filter((one) => !isNumeric || one.types.includes("number"));
  const columns = isNumeric ? [] : (seen.data?.columns ?? []);
  const options = [
    ...properties.map((one) => ({ value: one.filter, label: propertyLabel(one.filter), detail: t.filter.events(compactCount(one.events)) })),
    ...columns.map((one) => ({ value: one.filter, label: propertyLabel(one.filter), detail: t.filter.builtIn })),
  ];
  return (
    <Combobox
      wiring={wiring}
      value={value}
      text={text}
      mark={isBuiltIn(value) ? t.filter.builtIn : undefined}
      onChange={onChange}
      {...(onBlur && { onBlur })}
      {...(onTake && { onTake })}
      options={options}
      loading={seen.isFetching || words !== text.trim()}
      placeholder={placeholder ?? t.builder.filter.property}
      emptyText={t.filter.noProperty}
    />
  );
}

interface ValueProps {
  projectId: string;
  property: string;
  wiring: FieldWiring;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  eventTypes?: readonly string[];
  placeholder?: string;
}

/** A value of a property, suggested from events that arrived. */
export function ValueInput({ projectId, property, wiring, value, onChange, onBlur, eventTypes = [], placeholder }: ValueProps) {
  const words = useDebounced(value.trim(), TYPING_MS);
  const name = useDebounced(property.trim(), TYPING_MS);
  const seen = useQuery(valuesQuery(projectId, name, words, eventTypes));
  const isOfProperty = name === property.trim();
  const options = (isOfProperty ? (seen.data ?? []) : []).map((one) => ({ value: one.value, detail: compactCount(one.events) }));
  return (
    <Combobox
      wiring={wiring}
      value={value}
      onChange={onChange}
      {...(onBlur && { onBlur })}
      options={options}
      loading={seen.isFetching || !isOfProperty || words !== value.trim()}
      placeholder={placeholder ?? t.builder.filter.value}
      emptyText={t.filter.noValue}
    />
  );
}
