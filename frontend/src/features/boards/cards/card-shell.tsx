import { explain, asProblem } from "@/api/problem";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { heightPx } from "../layout-math";

const HEAD_PX = 48;
const FOOT_PX = 16;

/** The room for an answer in a card of so many rows. */
export const roomPx = (rows: number): number => heightPx(rows) - HEAD_PX - FOOT_PX;

interface Props {
  title: string;
  /** Left of the title and right of it: how the card is moved, and its menu. */
  lead?: ReactNode;
  actions?: ReactNode;
  detail?: string | undefined;
  children: ReactNode;
}

/** Frame and title of a card. */
export function CardShell({ title, lead, actions, detail, children }: Props) {
  return (
    <section aria-label={title} className="flex h-full min-w-0 flex-col rounded-xl border border-line bg-surface shadow-card">
      <header className="flex h-11 shrink-0 items-center gap-1 pr-2 pl-4">
        {lead}
        <h2 dir="auto" title={title} className="stranger line-clamp-1 min-w-0 text-sm font-semibold">
          {title}
        </h2>
        {detail && <span className="figures ml-2 line-clamp-1 shrink-0 text-xs text-ink-faint">{detail}</span>}
        <span className="flex-1" />
        {actions}
      </header>
      <div className="min-h-0 flex-1 overflow-hidden px-4 pb-4">{children}</div>
    </section>
  );
}

interface BodyProps<Answer> {
  query: { data: Answer | undefined; isError: boolean; error: unknown; isPlaceholderData: boolean; refetch: () => unknown };
  children: (answer: Answer) => ReactNode;
}

/** A skeleton, the answer, or the fault in words; old numbers are dimmed while new ones come. */
export function CardBody<Answer>({ query, children }: BodyProps<Answer>) {
  if (query.data !== undefined) {
    return (
      <div aria-busy={query.isPlaceholderData} className={cn("h-full transition-opacity duration-150", query.isPlaceholderData && "opacity-55")}>
        {children(query.data)}
      </div>
    );
  }
  if (!query.isError) return <Skeleton className="h-full w-full rounded-lg" />;
  const { title, advice } = explain(asProblem(query.error));
  return (
    <div role="alert" className="flex h-full flex-col items-center justify-center gap-2 overflow-auto text-center text-sm">
      <p>
        <span className="font-medium">{title}</span> <span className="text-ink-soft">{advice}</span>
      </p>
      <Button size="sm" onClick={() => void query.refetch()}>
        <RotateCw aria-hidden className="size-3.5" />
        {t.actions.retry}
      </Button>
    </div>
  );
}
