import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Popover } from "@/ui/popover";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { ApplyRow } from "./apply-row";
import { namesAmong, type EventChoice } from "./event-choice";
import { EventNameInput } from "./event-field";
import { FilterBar } from "./filter-bar";
import { UnknownEvent } from "./unknown-event";

interface Props {
  projectId: string;
  label: string;
  hint: string;
  choice: EventChoice;
  /** What stands there while no event is chosen. */
  any: string;
  onChange: (choice: EventChoice) => void;
}

/** An event of the sentence, with its own small editor. */
export function EventPicker({ projectId, label, hint, choice, any, onChange }: Props) {
  const [isOpen, setOpen] = useState(false);
  const title = choice.event || any;
  const filters = choice.filters.length;
  return (
    <span className="inline-flex max-w-full min-w-0 flex-wrap items-center gap-x-2">
      <Popover
        open={isOpen}
        onOpenChange={setOpen}
        label={label}
        className="w-[min(24rem,calc(100vw-1rem))]"
        trigger={
          <Button size="sm" aria-label={`${label}: ${title}`} className="max-w-full min-w-0 shrink">
            <span dir="auto" className="stranger truncate">
              {title}
            </span>
            {filters > 0 && <span className="text-ink-faint">{`+${filters}`}</span>}
            <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-faint" />
          </Button>
        }
      >
        <Form
          key={JSON.stringify(choice)}
          projectId={projectId}
          label={label}
          hint={hint}
          choice={choice}
          onCancel={() => setOpen(false)}
          onApply={(next) => {
            onChange(next);
            setOpen(false);
          }}
        />
      </Popover>
      {!isOpen && <UnknownEvent className="" projectId={projectId} name={choice.event} onTake={(event) => onChange({ ...choice, event })} />}
    </span>
  );
}

interface FormProps {
  projectId: string;
  label: string;
  hint: string;
  choice: EventChoice;
  onApply: (choice: EventChoice) => void;
  onCancel: () => void;
}

function Form({ projectId, label, hint, choice, onApply, onCancel }: FormProps) {
  const [event, setEvent] = useState(choice.event === "*" ? "" : choice.event);
  const [filters, setFilters] = useState(choice.filters);
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        submitted.stopPropagation();
        onApply({ event: event.trim(), filters });
      }}
    >
      <Field label={label} hint={hint}>
        {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={event} onChange={setEvent} />}
      </Field>
      <div>
        <p className="mb-1 text-sm font-medium">{t.filter.ofEvent}</p>
        <FilterBar projectId={projectId} conditions={filters} onChange={setFilters} eventTypes={namesAmong(event)} />
      </div>
      <ApplyRow onCancel={onCancel} />
    </form>
  );
}
