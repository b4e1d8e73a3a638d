import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { CircleAlert, Plus } from "lucide-react";
import { useCallback, useState } from "react";
import { useFieldArray, useFormContext } from "react-hook-form";
import { draftFrom } from "./definition-math";
import { emptyStage, STAGES_MAX, stageTitle, type Draft } from "./draft";
import { NextSteps } from "./next-steps";
import { StageEditor } from "./stage-editor";
import { useReorder } from "./use-reorder";

/** The stages of the draft, in order; dragging a handle or arrow keys change it. */
export function StageList({ projectId, timeZone }: { projectId: string; timeZone: string }) {
  const { getValues, formState, trigger } = useFormContext<Draft>();
  const { fields, append, remove, move } = useFieldArray<Draft, "stages">({ name: "stages" });
  const [spoken, setSpoken] = useState("");
  const total = fields.length;
  const onMove = useCallback(
    (from: number, to: number): void => {
      const stage = getValues(`stages.${from}`);
      move(from, to);
      setSpoken(t.builder.moved(stageTitle(stage) || t.builder.unnamed, to + 1, total));
    },
    [getValues, move, total],
  );
  const { list, dragged, handleProps, itemProps } = useReorder(total, onMove);
  const error = formState.errors.stages;
  const message = error?.root?.message ?? (typeof error?.message === "string" ? error.message : undefined);
  return (
    <>
      <ol ref={list} className="flex flex-col gap-2.5">
        {fields.map((field, index) => (
          <li key={field.id} {...itemProps(index)}>
            <StageEditor
              projectId={projectId}
              index={index}
              total={total}
              isDragged={dragged === index}
              handleProps={handleProps(index)}
              onRemove={() => {
                remove(index);
                if (formState.isSubmitted) void trigger("stages");
              }}
            />
          </li>
        ))}
      </ol>
      <p role="status" className="sr-only">
        {spoken}
      </p>
      {message && (
        <p role="alert" className="mt-3 flex items-center gap-1.5 text-sm text-danger">
          <CircleAlert aria-hidden className="size-4" />
          {message}
        </p>
      )}
      <Button className="mt-3 w-full border-dashed bg-transparent shadow-none" disabled={total >= STAGES_MAX} onClick={() => append(emptyStage())}>
        <Plus aria-hidden className="size-4" />
        {t.builder.add}
      </Button>
      {/* Below the button: they come later, and must not push it away. */}
      {total < STAGES_MAX && (
        <NextSteps
          projectId={projectId}
          timeZone={timeZone}
          onTake={(step) => {
            const [stage] = draftFrom({ name: "", stages: [step.stage] }).stages;
            if (!stage) return;
            const last = getValues(`stages.${total - 1}`);
            // An empty last card is what the next stage is meant for.
            if (stageTitle(last) === "") remove(total - 1);
            append(stage);
          }}
        />
      )}
    </>
  );
}
