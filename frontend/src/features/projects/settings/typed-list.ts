/** The text in the field of a list: it counts without the button too, once each entry of it is right. */
import type { FieldValues, UseFormReturn } from "react-hook-form";
import type { SectionForm } from "./use-section";

/** The form's field for it, beside the list: what is typed is a change that is not saved yet. */
export const TYPED = "typed";

interface TypedList<Values extends FieldValues> {
  section: SectionForm<Values>;
  /** Puts the text on the list; false: it has a fault, which stands at the field. */
  add: () => boolean;
}

/** A section whose list takes what stands in its field before it is saved. `entryOf` gives null for what is none. */
export function withTyped<Values extends FieldValues & { typed: string }>(
  section: SectionForm<Values>,
  name: string,
  fault: string,
  entryOf: (text: string) => string | null,
): TypedList<Values> {
  const form = section.form as unknown as UseFormReturn<FieldValues>;
  const add = (): boolean => {
    const texts = (form.getValues(TYPED) as string).split(/[\s,]+/).filter((one) => one !== "");
    const entries = texts.map(entryOf).filter((one) => one !== null);
    if (entries.length < texts.length) {
      form.setError(TYPED, { message: fault }, { shouldFocus: true });
      return false;
    }
    form.clearErrors(TYPED);
    form.setValue(name, [...new Set([...(form.getValues(name) as string[]), ...entries])], { shouldDirty: true, shouldValidate: entries.length > 0 });
    form.setValue(TYPED, "", { shouldDirty: true });
    return true;
  };
  const after = (go: () => void) => (): void => {
    if (add()) go();
  };
  return { section: { ...section, submit: after(section.submit), overwrite: after(section.overwrite) }, add };
}
