import { cn } from "@/lib/class-names";
import { Card, CardHead } from "@/ui/card";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

interface Props<Answer> {
  query: UseQueryResult<Answer>;
  title?: ReactNode;
  description?: ReactNode;
  /** Controls at the right of the title. */
  actions?: ReactNode;
  /** The height that the answer will have, as a class: nothing moves when it arrives. */
  height?: string;
  foot?: (answer: Answer, isStale: boolean) => ReactNode;
  className?: string;
  children: (answer: Answer) => ReactNode;
}

/** One answer in a card: a skeleton of its size, old data dimmed while new data loads, faults in words in its place. */
export function ReportCard<Answer>({ query, title, description, actions, height = "h-80", foot, className, children }: Props<Answer>) {
  const isStale = query.isPlaceholderData;
  return (
    <Card className={cn("flex min-w-0 flex-col", className)}>
      {title !== undefined && (
        <CardHead title={title} description={description}>
          {actions}
        </CardHead>
      )}
      {query.data !== undefined ? (
        <>
          {query.isError && <Failure error={query.error} onRetry={() => void query.refetch()} className="py-4" />}
          <div aria-busy={isStale} className={cn("min-w-0 flex-1 transition-opacity duration-150", isStale && "opacity-55")}>
            {children(query.data)}
          </div>
          {foot?.(query.data, isStale)}
        </>
      ) : query.isError ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} className={cn(height, "py-6")} />
      ) : (
        <div className="p-5" aria-busy="true">
          <Skeleton className={cn("w-full rounded-lg", height)} />
        </div>
      )}
    </Card>
  );
}
