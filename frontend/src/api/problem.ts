import { t } from "@/lib/strings";

export interface FieldError {
  pointer: string | undefined;
  code: string | undefined;
  message: string;
}

/** An error answer of the service, or the failure to reach it (`status` 0, code "unreachable"). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string | undefined,
    readonly errors: readonly FieldError[],
  ) {
    super(detail ?? title);
  }

  get isRetryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

export function problemFrom(status: number, body: unknown): ApiProblem {
  const fields = record(body);
  const listed = Array.isArray(fields.errors) ? fields.errors : [];
  const errors = listed.map((one: unknown) => {
    const item = record(one);
    return { pointer: text(item.pointer), code: text(item.code), message: text(item.message) ?? t.problems.field };
  });
  return new ApiProblem(status, text(fields.code) ?? `http_${status}`, text(fields.title) ?? "", text(fields.detail), errors);
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  // fetch says TypeError when no answer came; anything else is a fault of this page.
  const code = error instanceof TypeError ? "unreachable" : "internal_error";
  return new ApiProblem(0, code, "", undefined, []);
}

export const sentence = (words: string): string => {
  const start = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.?!]$/.test(start) ? start : `${start}.`;
};

/** What happened and what to do, in words for a person. */
export function explain(problem: ApiProblem): { title: string; advice: string } {
  const known = t.problems.byCode[problem.code as keyof typeof t.problems.byCode];
  if (known) return known;
  const listed = problem.errors.map((error) => sentence(error.message)).join(" ");
  const said = listed || (problem.detail ? sentence(problem.detail) : "");
  if (problem.status >= 400 && problem.status < 500) return { title: t.problems.refused, advice: said };
  return { title: t.problems.failed, advice: said || t.problems.tryAgain };
}
