import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { Segmented } from "@/ui/segmented";
import { GripVertical, SlidersHorizontal, Trash2 } from "lucide-react";
import { useState, type ComponentProps } from "react";
import { useFormContext, useWatch } from "react-hook-form";
import { stageTitle, type Draft } from "./draft";
import { MatcherFields } from "./matcher-fields";
import { StageMore } from "./stage-more";
import { w } from "./words";

const KINDS = [
  { value: "event", label: t.builder.kind.event },
  { value: "page", label: t.builder.kind.page },
] as const;

interface Props {
  projectId: string;
  index: number;
  total: number;
  isDragged: boolean;
  handleProps: ComponentProps<"button">;
  onRemove: () => void;
}

/** One stage as a card. What most funnels do without stands under "More". */
export function StageEditor({ projectId, index, total, isDragged, handleProps, onRemove }: Props) {
  const { register, setValue, getFieldState, formState, clearErrors } = useFormContext<Draft>();
  const stage = useWatch<Draft, `stages.${number}`>({ name: `stages.${index}` });
  const isUnusual = stage.optional || stage.within.amount !== "" || stage.after.amount !== "" || stage.host !== "" || stage.match === "url";
  const faults = formState.errors.stages?.[index];
  const hasHiddenFault = Boolean(faults?.optional ?? faults?.within ?? faults?.after ?? faults?.host ?? faults?.match);
  const [isWanted, setWanted] = useState(isUnusual);
  const isMore = isWanted || hasHiddenFault;
  const order = index + 1;
  const words = t.builder;
  return (
    <div
      className={cn(
        "rounded-xl border border-line bg-surface p-3 transition-shadow duration-150 sm:p-4",
        isDragged ? "relative z-10 border-ring shadow-pop" : "shadow-card",
      )}
    >
      <div className="flex items-center gap-2">
        <button
          type="button"
          aria-label={words.handle(order, total)}
          className="-ml-1 grid h-8 w-6 shrink-0 cursor-grab touch-none place-items-center rounded-md text-ink-faint hover:bg-hover hover:text-ink active:cursor-grabbing"
          {...handleProps}
        >
          <GripVertical aria-hidden className="size-4" />
        </button>
        <span aria-hidden className="figures grid size-6 shrink-0 place-items-center rounded-full bg-accent-wash text-xs font-semibold text-accent-ink">
          {order}
        </span>
        <Segmented
          label={words.kind.label(order)}
          value={stage.kind}
          options={KINDS}
          onChange={(kind) => {
            setValue(`stages.${index}.kind`, kind, { shouldDirty: true });
            clearErrors(`stages.${index}`);
          }}
        />
        {stage.optional && <Badge tone="accent">{w.table.optional}</Badge>}
        <Button variant="ghost" size="icon" aria-label={words.remove(order)} onClick={onRemove} className="ml-auto text-ink-faint">
          <Trash2 aria-hidden className="size-4" />
        </Button>
      </div>
      <div className="mt-2.5 sm:pl-7">
        <MatcherFields
          projectId={projectId}
          name={`stages.${index}`}
          labels={{ event: words.event(order), page: words.page(order) }}
          aside={
            <Field label={words.stageName(order)} labelHidden error={getFieldState(`stages.${index}.name`, formState).error?.message}>
              {(wiring) => (
                <Input
                  {...wiring}
                  dir="auto"
                  placeholder={stageTitle({ ...stage, name: "" }) || words.stageNamePlaceholder}
                  autoComplete="off"
                  {...register(`stages.${index}.name`)}
                />
              )}
            </Field>
          }
        >
          <Button variant="ghost" size="sm" aria-expanded={isMore} aria-label={w.builder.stageMore(order)} onClick={() => setWanted(!isMore)}>
            <SlidersHorizontal aria-hidden className="size-3.5" />
            {w.builder.more}
          </Button>
        </MatcherFields>
        {isMore && <StageMore index={index} total={total} />}
      </div>
    </div>
  );
}
