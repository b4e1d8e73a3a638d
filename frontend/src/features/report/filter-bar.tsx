import type { Condition } from "@/api/types";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Popover } from "@/ui/popover";
import { ListFilter, X } from "lucide-react";
import { useState } from "react";
import { CONDITIONS_MAX, propertyLabel, takesValue, valueText } from "./conditions";
import { ConditionForm } from "./condition-form";

interface Props {
  projectId: string;
  conditions: readonly Condition[];
  onChange: (conditions: Condition[]) => void;
  eventTypes?: readonly string[];
}

/** The conditions of a report as chips that read like a sentence; a chip opens its own small editor. */
export function FilterBar({ projectId, conditions, onChange, eventTypes = [] }: Props) {
  const [open, setOpen] = useState<number | "new" | null>(null);
  const form = (condition: Condition | undefined, take: (next: Condition) => void) => (
    <ConditionForm
      projectId={projectId}
      eventTypes={eventTypes}
      {...(condition && { condition })}
      onCancel={() => setOpen(null)}
      onApply={(next) => {
        take(next);
        setOpen(null);
      }}
    />
  );
  return (
    <div role="group" aria-label={t.filter.group} className="flex flex-wrap items-center gap-2">
      {conditions.map((condition, index) => (
        <span key={index} className="inline-flex max-w-full items-center rounded-lg border border-line bg-surface shadow-card">
          <Popover
            open={open === index}
            onOpenChange={(isOpen) => setOpen(isOpen ? index : null)}
            label={t.filter.edit}
            className="w-[min(26rem,calc(100vw-1rem))]"
            trigger={
              <button type="button" className="line-clamp-1 min-w-0 rounded-l-lg px-2.5 py-1 text-left text-sm hover:bg-hover">
                <Sentence condition={condition} />
              </button>
            }
          >
            {form(condition, (next) => onChange(conditions.map((one, at) => (at === index ? next : one))))}
          </Popover>
          <button
            type="button"
            aria-label={t.filter.remove(propertyLabel(condition.property))}
            onClick={() => onChange(conditions.filter((_one, at) => at !== index))}
            className="grid size-7 place-items-center rounded-r-lg text-ink-faint hover:bg-hover hover:text-ink"
          >
            <X aria-hidden className="size-3.5" />
          </button>
        </span>
      ))}
      {conditions.length < CONDITIONS_MAX && (
        <Popover
          open={open === "new"}
          onOpenChange={(isOpen) => setOpen(isOpen ? "new" : null)}
          label={t.filter.add}
          className="w-[min(26rem,calc(100vw-1rem))]"
          trigger={
            <Button size="sm" variant="ghost">
              <ListFilter aria-hidden className="size-3.5" />
              {t.filter.add}
            </Button>
          }
        >
          {form(undefined, (next) => onChange([...conditions, next]))}
        </Popover>
      )}
    </div>
  );
}

function Sentence({ condition }: { condition: Condition }) {
  return (
    <>
      <span dir="auto" className="stranger font-medium">
        {propertyLabel(condition.property)}
      </span>{" "}
      <span className="text-ink-soft">{t.builder.operators[condition.op]}</span>
      {takesValue(condition.op) && (
        <>
          {" "}
          <span dir="auto" className="stranger font-medium">
            {valueText(condition)}
          </span>
        </>
      )}
    </>
  );
}
