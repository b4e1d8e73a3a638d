import { ApplyRow } from "@/features/report/apply-row";
import { FilterBar } from "@/features/report/filter-bar";
import { namesAmong } from "@/features/report/event-choice";
import { EventNameInput } from "@/features/report/event-field";
import { PropertyInput } from "@/features/report/property-fields";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useState } from "react";
import { MEASURES, takesNumbers, type Measure, type SeriesChoice } from "./trend-state";
import { words } from "./words";

interface Props {
  projectId: string;
  series: SeriesChoice;
  onApply: (series: SeriesChoice) => void;
  onCancel: () => void;
}

/** One series, edited apart from the address until it is whole. */
export function SeriesForm({ projectId, series, onApply, onCancel }: Props) {
  const [draft, setDraft] = useState(series);
  const [isTried, setTried] = useState(false);
  const set = (over: Partial<SeriesChoice>): void => setDraft({ ...draft, ...over });
  const event = draft.event.trim();
  const eventFault = event === "" ? words.eventMissing : undefined;
  const propertyFault = takesNumbers(draft.measure) && draft.property.trim() === "" ? words.propertyMissing : undefined;
  const eventTypes = namesAmong(event);
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        submitted.stopPropagation();
        setTried(true);
        if (!eventFault && !propertyFault) onApply({ ...draft, event, property: draft.property.trim(), name: draft.name.trim() });
      }}
    >
      <Field label={words.event} hint={words.eventHint} error={isTried ? eventFault : undefined}>
        {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={draft.event} onChange={(next) => set({ event: next })} />}
      </Field>
      <Field label={words.measure}>
        {(wiring) => (
          <NativeSelect {...wiring} value={draft.measure} onChange={(changed) => set({ measure: changed.target.value as Measure })}>
            {MEASURES.map((one) => (
              <option key={one} value={one}>
                {words.measures[one]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      {takesNumbers(draft.measure) && (
        <Field label={words.property} error={isTried ? propertyFault : undefined}>
          {(wiring) => <PropertyInput projectId={projectId} wiring={wiring} value={draft.property} onChange={(next) => set({ property: next })} eventTypes={eventTypes} isNumeric />}
        </Field>
      )}
      <Field label={words.name} hint={words.nameHint}>
        {(wiring) => <Input {...wiring} dir="auto" maxLength={200} value={draft.name} onChange={(changed) => set({ name: changed.target.value })} />}
      </Field>
      <FilterBar projectId={projectId} conditions={draft.filters} onChange={(filters) => set({ filters })} eventTypes={eventTypes} />
      <ApplyRow onCancel={onCancel} />
    </form>
  );
}
