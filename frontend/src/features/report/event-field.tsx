import { ago, compactCount } from "@/lib/format";
import { t } from "@/lib/strings";
import { useDebounced } from "@/lib/use-debounced";
import { Combobox } from "@/ui/combobox";
import type { FieldWiring } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { eventNamesQuery, TYPING_MS } from "./queries";
import { UnknownEvent } from "./unknown-event";

/** After a click elsewhere has landed: what comes in below the field moves what is clicked. */
const LEAVING_MS = 300;

interface Props {
  projectId: string;
  wiring: FieldWiring;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  placeholder?: string;
}

/** An event name, suggested from those that arrived, with volume and age. Stands inside a `Field`, which gives the wiring. */
export function EventNameInput({ projectId, wiring, value, onChange, onBlur, placeholder = t.builder.eventPlaceholder }: Props) {
  const words = useDebounced(value.trim(), TYPING_MS);
  const names = useQuery(eventNamesQuery(projectId, words));
  const [isWriting, setWriting] = useState(false);
  const wasWriting = useDebounced(isWriting, LEAVING_MS);
  const now = new Date();
  // The answer to what was typed comes later: until then the names that are known are narrowed here.
  const typed = value.trim().toLowerCase();
  const options = (names.data ?? []).filter((event) => event.name.toLowerCase().includes(typed)).map((event) => ({
    value: event.name,
    detail: t.builder.seen(compactCount(event.count), event.last_seen ? ago(event.last_seen, now) : ""),
  }));
  return (
    <div
      onFocus={() => setWriting(true)}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setWriting(false);
      }}
    >
      <Combobox
        wiring={wiring}
        value={value}
        onChange={onChange}
        {...(onBlur && { onBlur })}
        options={options}
        loading={names.isFetching || words !== value.trim()}
        placeholder={placeholder}
        emptyText={t.builder.noEvents}
      />
      {/* While a name is still being written it may become a known one. */}
      {(options.length === 0 || !(isWriting || wasWriting)) && <UnknownEvent projectId={projectId} name={value} onTake={onChange} />}
    </div>
  );
}
