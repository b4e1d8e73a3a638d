import { compactCount } from "@/lib/format";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { Combobox } from "@/ui/combobox";
import type { FieldWiring } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { propertyLabel } from "./conditions";
import { propertiesQuery, TYPING_MS, valuesQuery } from "./queries";

interface PropertyProps {
  projectId: string;
  wiring: FieldWiring;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  /** Only properties of these events are suggested; none means of all. */
  eventTypes?: readonly string[];
  placeholder?: string;
  /** Only properties that hold numbers. */
  isNumeric?: boolean;
}

/** A property or built-in column by its name in filters, suggested from events that arrived. */
export function PropertyInput({ projectId, wiring, value, onChange, onBlur, eventTypes = [], placeholder, isNumeric = false }: PropertyProps) {
  const words = useDebounced(propertyLabel(value).trim(), TYPING_MS);
  const seen = useQuery(propertiesQuery(projectId, words, eventTypes));
  const properties = (seen.data?.properties ?? []).filter((one) => !isNumeric || one.types.includes("number"));
  const columns = isNumeric ? [] : (seen.data?.columns ?? []).filter((one) => one.name.includes(words.toLowerCase()));
  const options = [
    ...properties.map((one) => ({ value: one.filter, label: propertyLabel(one.filter), detail: t.filter.events(compactCount(one.events)) })),
    ...columns.map((one) => ({ value: one.filter, label: propertyLabel(one.filter), detail: t.filter.builtIn })),
  ];
  return (
    <Combobox
      wiring={wiring}
      value={value}
      text={propertyLabel(value)}
      onChange={onChange}
      {...(onBlur && { onBlur })}
      options={options}
      loading={seen.isFetching}
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
  const typed = value.trim().toLowerCase();
  const options = (seen.data ?? []).filter((one) => one.value.toLowerCase().includes(typed)).map((one) => ({ value: one.value, detail: compactCount(one.events) }));
  return (
    <Combobox
      wiring={wiring}
      value={value}
      onChange={onChange}
      {...(onBlur && { onBlur })}
      options={options}
      loading={seen.isFetching}
      placeholder={placeholder ?? t.builder.filter.value}
      emptyText={t.filter.noValue}
    />
  );
}
