import { sessionQuery } from "@/features/account/queries";
import { t } from "@/lib/strings";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "react-router";
import { paths } from "./paths";

export function RequireSession() {
  const session = useQuery(sessionQuery);
  const { pathname, search } = useLocation();
  if (session.data) return <Outlet />;
  if (session.isError) return <Failure error={session.error} onRetry={() => void session.refetch()} className="min-h-dvh" />;
  if (session.isPending) return <FrameSkeleton />;
  const next = pathname === paths.home ? "" : `?next=${encodeURIComponent(pathname + search)}`;
  return <Navigate to={paths.signIn + next} replace />;
}

/** The silhouette of the frame, so that nothing moves when it arrives. */
export function FrameSkeleton() {
  return (
    <div className="min-h-dvh lg:pl-58" aria-busy="true" aria-label={t.states.loading}>
      <div className="fixed inset-y-0 left-0 hidden w-58 border-r border-line p-3 lg:block">
        <Skeleton className="h-9 w-full" />
        <Skeleton className="mt-6 h-6 w-32" />
        <Skeleton className="mt-3 h-6 w-36" />
        <Skeleton className="mt-3 h-6 w-28" />
      </div>
      <div className="mx-auto max-w-7xl px-4 py-6 sm:px-8">
        <Skeleton className="h-8 w-48" />
        <Skeleton className="mt-8 h-32 w-full rounded-xl" />
      </div>
    </div>
  );
}
