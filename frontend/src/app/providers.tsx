import { asProblem } from "@/api/problem";
import { sessionQuery } from "@/features/account/queries";
import { ToastProvider } from "@/ui/toast";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

const RETRIES_MAX = 2;

export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        // The session could not be renewed: every page that needs one leads to the sign-in page.
        if (asProblem(error).status === 401) client.setQueryData(sessionQuery.queryKey, null);
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < RETRIES_MAX && asProblem(error).isRetryable,
        staleTime: 5_000,
      },
    },
  });
  return client;
}

export function Providers({ children, client }: { children: ReactNode; client?: QueryClient }) {
  const [queryClient] = useState(() => client ?? makeQueryClient());
  return (
    <QueryClientProvider client={queryClient}>
      <ToastProvider>{children}</ToastProvider>
    </QueryClientProvider>
  );
}
