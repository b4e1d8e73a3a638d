import { compactCount } from "@/lib/format";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { Combobox } from "@/ui/combobox";
import type { FieldWiring } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { isBuiltIn, lastOfList, listOf, listText, propertyLabel } from "./conditions";
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
  /** Several values with commas between them: the last one is completed, those before it stay. */
  isList?: boolean;
}

/** A value of a property, suggested from events that arrived. */
export function ValueInput({ projectId, property, wiring, value, onChange, onBlur, eventTypes = [], placeholder, isList = false }: ValueProps) {
  const { before, last } = isList ? lastOfList(value) : { before: "", last: value.trim() };
  const words = useDebounced(last, TYPING_MS);
  const name = useDebounced(property.trim(), TYPING_MS);
  const seen = useQuery(valuesQuery(projectId, name, words, eventTypes));
  const isOfProperty = name === property.trim();
  const taken = new Set(listOf(before));
  const options = (isOfProperty ? (seen.data ?? []) : [])
    .filter((one) => !taken.has(one.value))
    .map((one) => ({ value: isList ? before + listText([one.value]) : one.value, label: one.value, detail: compactCount(one.events) }));
  return (
    <Combobox
      wiring={wiring}
      value={value}
      part={last}
      onChange={onChange}
      {...(onBlur && { onBlur })}
      options={options}
      loading={seen.isFetching || !isOfProperty || words !== last}
      placeholder={placeholder ?? t.builder.filter.value}
      emptyText={t.filter.noValue}
    />
  );
}
