import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { Popover } from "@/ui/popover";
import { Split, X } from "lucide-react";
import { useState } from "react";
import { ApplyRow } from "./apply-row";
import { propertyLabel } from "./conditions";
import { PropertyInput } from "./property-fields";

export interface Groups {
  property: string;
  limit: number;
}

const LIMIT_MAX = 100;

interface Props {
  projectId: string;
  groups: Groups | null;
  onChange: (groups: Groups | null) => void;
  eventTypes?: readonly string[];
  defaultLimit?: number;
}

/** What a report is broken down by, as a button that opens its small editor. */
export function GroupPicker({ projectId, groups, onChange, eventTypes = [], defaultLimit = 8 }: Props) {
  const [isOpen, setOpen] = useState(false);
  const words = t.groups;
  const label = groups ? propertyLabel(groups.property) : words.none;
  return (
    <span className="inline-flex max-w-full items-center">
      <Popover
        open={isOpen}
        onOpenChange={setOpen}
        label={words.by}
        align="end"
        className="w-[min(22rem,calc(100vw-1rem))]"
        trigger={
          <Button size="sm" aria-label={`${words.by}: ${label}`} className="min-w-0 shrink">
            <Split aria-hidden className="size-3.5 shrink-0 text-ink-faint" />
            <span dir="auto" className="stranger truncate">
              {groups ? label : words.by}
            </span>
          </Button>
        }
      >
        <Form
          key={JSON.stringify(groups)}
          projectId={projectId}
          groups={groups ?? { property: "", limit: defaultLimit }}
          eventTypes={eventTypes}
          onCancel={() => setOpen(false)}
          onApply={(next) => {
            onChange(next);
            setOpen(false);
          }}
        />
      </Popover>
      {groups && (
        <Button size="icon-sm" variant="ghost" aria-label={words.remove} onClick={() => onChange(null)}>
          <X aria-hidden className="size-3.5" />
        </Button>
      )}
    </span>
  );
}

interface FormProps {
  projectId: string;
  groups: Groups;
  eventTypes: readonly string[];
  onApply: (groups: Groups) => void;
  onCancel: () => void;
}

function Form({ projectId, groups, eventTypes, onApply, onCancel }: FormProps) {
  const [property, setProperty] = useState(groups.property);
  const [limit, setLimit] = useState(String(groups.limit));
  const [isTried, setTried] = useState(false);
  const words = t.groups;
  const amount = Number(limit);
  const isBad = !Number.isInteger(amount) || amount < 1 || amount > LIMIT_MAX;
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        submitted.stopPropagation();
        setTried(true);
        if (property.trim() !== "" && !isBad) onApply({ property: property.trim(), limit: amount });
      }}
    >
      <Field label={words.property} error={isTried && property.trim() === "" ? t.builder.invalid.property : undefined}>
        {(wiring) => <PropertyInput projectId={projectId} wiring={wiring} value={property} onChange={setProperty} eventTypes={eventTypes} />}
      </Field>
      <Field label={words.limit} hint={words.limitHint} error={isTried && isBad ? words.limitFault : undefined}>
        {(wiring) => <Input {...wiring} inputMode="numeric" value={limit} onChange={(changed) => setLimit(changed.target.value)} />}
      </Field>
      <ApplyRow onCancel={onCancel} />
    </form>
  );
}
