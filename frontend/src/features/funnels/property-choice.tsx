import { propertyLabel } from "@/features/report/conditions";
import { PropertyInput } from "@/features/report/property-fields";
import { propertiesQuery } from "@/features/report/queries";
import { Field } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { w } from "./words";

const OFTEN = ["device", "browser", "os", "country", "channel", "source", "utm_source", "utm_campaign", "plan"];
const OFTEN_MAX = 6;

interface Props {
  projectId: string;
  chosen: string;
  onChoose: (property: string) => void;
}

/** A property to group by; it is taken from the list, with Enter, or when the field is left. */
export function PropertyChoice({ projectId, chosen, onChoose }: Props) {
  const [text, setText] = useState(chosen);
  const seen = useQuery(propertiesQuery(projectId, ""));
  const known = [...(seen.data?.properties ?? []), ...(seen.data?.columns ?? [])];
  const often = OFTEN.flatMap((name) => known.find((one) => one.name === name) ?? []).slice(0, OFTEN_MAX);
  return (
    <form
      className="flex min-w-[min(16rem,100%)] flex-1 flex-wrap items-end gap-x-3 gap-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose(text.trim());
      }}
    >
      <Field label={w.groups.property} className="w-full sm:w-64">
        {(wiring) => (
          <PropertyInput
            projectId={projectId}
            wiring={wiring}
            value={text}
            placeholder={w.groups.placeholder}
            onChange={setText}
            onTake={(value) => onChoose(value.trim())}
            onBlur={() => {
              if (text.trim() !== chosen) onChoose(text.trim());
            }}
          />
        )}
      </Field>
      {chosen === "" && often.length > 0 && (
        <div role="group" aria-label={w.groups.often} className="flex flex-wrap gap-1.5 pb-1">
          {often.map((one) => (
            <button
              key={one.filter}
              type="button"
              onClick={() => onChoose(one.filter)}
              className="rounded-full border border-line bg-surface px-2.5 py-1 text-sm text-ink-soft transition-colors duration-150 hover:border-line-strong hover:text-ink"
            >
              {propertyLabel(one.filter)}
            </button>
          ))}
        </div>
      )}
    </form>
  );
}
