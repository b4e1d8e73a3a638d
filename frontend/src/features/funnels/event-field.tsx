import { ago, compactCount } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";
import { t } from "@/lib/strings";
import { Combobox } from "@/ui/combobox";
import { Field } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { useController } from "react-hook-form";
import type { Draft } from "./definition-math";
import { eventNamesQuery } from "./queries";

const TYPING_MS = 150;

interface Props {
  projectId: string;
  name: `stages.${number}.events.${number}.name`;
  label: string;
  className?: string;
}

/** An event name, suggested from those that arrived, with volume and age. */
export function EventField({ projectId, name, label, className }: Props) {
  const { field, fieldState } = useController<Draft, typeof name>({ name });
  const words = useDebounced(field.value.trim(), TYPING_MS);
  const names = useQuery(eventNamesQuery(projectId, words));
  const now = new Date();
  const options = (names.data ?? []).map((event) => ({
    value: event.name,
    detail: t.builder.seen(compactCount(event.count), event.last_seen ? ago(event.last_seen, now) : ""),
  }));
  return (
    <Field label={label} labelHidden error={fieldState.error?.message} {...(className && { className })}>
      {(wiring) => (
        <Combobox
          wiring={wiring}
          value={field.value}
          onChange={field.onChange}
          onBlur={field.onBlur}
          options={options}
          loading={names.isFetching}
          placeholder={t.builder.eventPlaceholder}
          emptyText={t.builder.noEvents}
        />
      )}
    </Field>
  );
}
