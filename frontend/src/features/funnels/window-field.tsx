import { t } from "@/lib/strings";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { useFormContext, useWatch } from "react-hook-form";
import { WINDOW_UNITS, type Draft } from "./draft";

export function WindowField() {
  const { register, formState, getValues, setValue } = useFormContext<Draft>();
  const unit = useWatch<Draft, "windowUnit">({ name: "windowUnit" });
  return (
    <Field label={t.builder.window} hint={t.builder.windowHint} error={formState.errors.windowAmount?.message}>
      {(wiring) => (
        <div className="flex gap-2">
          {unit !== "none" && (
            <Input {...wiring} aria-label={t.builder.windowAmount} inputMode="decimal" autoComplete="off" className="figures w-24" {...register("windowAmount")} />
          )}
          <NativeSelect
            {...(unit === "none" && wiring)}
            aria-label={t.builder.windowUnit}
            className="w-36"
            {...register("windowUnit", {
              onChange: () => {
                if (getValues("windowAmount") === "") setValue("windowAmount", "7");
              },
            })}
          >
            {WINDOW_UNITS.map((one) => (
              <option key={one} value={one}>
                {t.builder.units[one]}
              </option>
            ))}
          </NativeSelect>
        </div>
      )}
    </Field>
  );
}
