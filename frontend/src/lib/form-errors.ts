import { asProblem, sentence } from "@/api/problem";
import type { FieldPath, FieldValues, UseFormSetError } from "react-hook-form";

const plainPath = (pointer: string): string => pointer.replace(/^\/(body\/)?/, "").split("/").join(".");

/** Puts the service's complaints beside the fields they are about. */
export function showFieldErrors<Values extends FieldValues>(
  error: unknown,
  setError: UseFormSetError<Values>,
  pathOf: (pointer: string) => string = plainPath,
): void {
  for (const { pointer, message } of asProblem(error).errors) {
    if (pointer) setError(pathOf(pointer) as FieldPath<Values>, { message: sentence(message) });
  }
}
