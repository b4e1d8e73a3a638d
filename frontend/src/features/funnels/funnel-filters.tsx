import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { ListFilter } from "lucide-react";
import { useFieldArray, useFormContext } from "react-hook-form";
import { emptyFilter, type Draft } from "./draft";
import { FilterRows } from "./filter-rows";
import { w } from "./words";

/** Conditions that hold for every stage; they stand beside the stages because most funnels of a part of the people need them. */
export function FunnelFilters({ projectId }: { projectId: string }) {
  const { formState } = useFormContext<Draft>();
  const filters = useFieldArray<Draft, "filters">({ name: "filters" });
  const fault = formState.errors.filters?.root?.message ?? formState.errors.filters?.message;
  const words = w.builder.filters;
  return (
    <Card aria-label={words.title} className="px-4 py-3.5 sm:px-5">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 className="font-semibold tracking-[-0.006em]">{words.title}</h2>
          <p className="text-sm text-ink-soft">{words.text}</p>
        </div>
        <Button size="sm" onClick={() => filters.append(emptyFilter(), { focusName: `filters.${filters.fields.length}.property` })}>
          <ListFilter aria-hidden className="size-3.5" />
          {words.add}
        </Button>
      </div>
      <FilterRows projectId={projectId} name="filters" ids={filters.fields.map((field) => field.id)} eventTypes={[]} onRemove={filters.remove} />
      {fault && (
        <p role="alert" className="mt-2 text-sm text-danger">
          {fault}
        </p>
      )}
    </Card>
  );
}
