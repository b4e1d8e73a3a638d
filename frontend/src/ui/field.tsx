import { cn } from "@/lib/class-names";
import { CircleAlert } from "lucide-react";
import { useId, type ReactNode } from "react";

export interface FieldWiring {
  id: string;
  "aria-invalid": boolean | undefined;
  "aria-describedby": string | undefined;
}

interface Props {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  aside?: ReactNode;
  className?: string;
  labelHidden?: boolean;
  children: (wiring: FieldWiring) => ReactNode;
}

/** Label, control, hint and error, wired for screen readers; the control gets its ids from the render function. */
export function Field({ label, hint, error, aside, className, labelHidden = false, children }: Props) {
  const id = useId();
  const note = error ?? hint;
  const noteId = `${id}-note`;
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      <div className={cn("flex items-baseline justify-between gap-3", labelHidden && "sr-only")}>
        <label htmlFor={id} className="text-sm font-medium text-ink">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-invalid": error ? true : undefined, "aria-describedby": note ? noteId : undefined })}
      {error ? (
        <p id={noteId} className="flex items-start gap-1.5 text-sm text-danger">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>{error}</span>
        </p>
      ) : (
        hint && (
          <p id={noteId} className="text-sm text-ink-faint">
            {hint}
          </p>
        )
      )}
    </div>
  );
}
