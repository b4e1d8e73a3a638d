/** The secret key of a project made in this visit: kept in memory only, until the person says it is stored. */
import { useQuery, type QueryClient } from "@tanstack/react-query";

const keyOf = (projectId: string): string[] => ["fresh-secret", projectId];

export function rememberSecret(client: QueryClient, projectId: string, secret: string): void {
  client.setQueryDefaults(keyOf(projectId), { gcTime: Number.POSITIVE_INFINITY, staleTime: Number.POSITIVE_INFINITY });
  client.setQueryData(keyOf(projectId), secret);
}

export function forgetSecret(client: QueryClient, projectId: string): void {
  client.setQueryData(keyOf(projectId), null);
}

export function useFreshSecret(projectId: string): string | null {
  const { data } = useQuery<string | null>({ queryKey: keyOf(projectId), queryFn: () => null, enabled: false });
  return data ?? null;
}
