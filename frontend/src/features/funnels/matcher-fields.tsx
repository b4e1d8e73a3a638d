import { EventNameInput } from "@/features/report/event-field";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { ListFilter, Plus, X } from "lucide-react";
import { useController, useFieldArray, useFormContext, useWatch } from "react-hook-form";
import type { ReactNode } from "react";
import { emptyFilter, namedEvents, type Draft } from "./draft";
import { FilterRows } from "./filter-rows";

type MatcherName = `stages.${number}` | `exclusions.${number}`;

interface Props {
  projectId: string;
  name: MatcherName;
  labels: { event: string; page: string };
  /** Beside the event or the page. */
  aside?: ReactNode;
  /** More buttons in the row below. */
  children?: ReactNode;
}

/** Which events count: one name, any of several, or a page; and conditions that they must meet. */
export function MatcherFields({ projectId, name, labels, aside, children }: Props) {
  const { register, getFieldState, formState } = useFormContext<Draft>();
  const one = useWatch<Draft, MatcherName>({ name });
  const events = useFieldArray<Draft, `${MatcherName}.events`>({ name: `${name}.events` });
  const filters = useFieldArray<Draft, `${MatcherName}.filters`>({ name: `${name}.filters` });
  const words = t.builder;
  return (
    <>
      <div className={aside ? "grid gap-2.5 sm:grid-cols-[minmax(0,1fr)_minmax(0,14rem)]" : undefined}>
        {one.kind === "event" ? (
          <div className="flex min-w-0 flex-col gap-2">
            {events.fields.map((field, at) => (
              <div key={field.id} className="flex items-start gap-2">
                {at > 0 && <span className="pt-2 text-sm text-ink-faint">{words.orWord}</span>}
                <EventField projectId={projectId} name={`${name}.events.${at}.name`} label={labels.event} />
                {events.fields.length > 1 && (
                  <Button variant="ghost" size="icon" aria-label={words.removeEvent} onClick={() => events.remove(at)} className="mt-0.5 text-ink-faint">
                    <X aria-hidden className="size-4" />
                  </Button>
                )}
              </div>
            ))}
          </div>
        ) : (
          <Field label={labels.page} labelHidden error={getFieldState(`${name}.page`, formState).error?.message}>
            {(wiring) => (
              <Input {...wiring} placeholder={words.pagePlaceholder} autoCapitalize="off" autoComplete="off" spellCheck={false} {...register(`${name}.page`)} />
            )}
          </Field>
        )}
        {aside}
      </div>
      <FilterRows
        projectId={projectId}
        name={`${name}.filters`}
        ids={filters.fields.map((field) => field.id)}
        eventTypes={one.kind === "event" ? namedEvents(one).filter((event) => event !== "*") : []}
        onRemove={filters.remove}
      />
      <div className="mt-1 -mb-1.5 flex flex-wrap gap-1">
        <Button variant="ghost" size="sm" className="-ml-2.5" onClick={() => filters.append(emptyFilter(), { focusName: `${name}.filters.${filters.fields.length}.property` })}>
          <ListFilter aria-hidden className="size-3.5" />
          {words.addFilter}
        </Button>
        {one.kind === "event" && (
          <Button variant="ghost" size="sm" onClick={() => events.append({ name: "" })}>
            <Plus aria-hidden className="size-3.5" />
            {words.orEvent}
          </Button>
        )}
        {children}
      </div>
    </>
  );
}

function EventField({ projectId, name, label }: { projectId: string; name: `${MatcherName}.events.${number}.name`; label: string }) {
  const { field, fieldState } = useController<Draft, typeof name>({ name });
  return (
    <Field label={label} labelHidden error={fieldState.error?.message} className="min-w-0 flex-1">
      {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={field.value} onChange={field.onChange} onBlur={field.onBlur} />}
    </Field>
  );
}
