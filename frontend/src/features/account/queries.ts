import { api, dataOf } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { Session } from "@/api/types";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await dataOf(api.GET("/api/v1/auth/me", { signal }));
    } catch (error) {
      if (asProblem(error).status === 401) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

export interface Credentials {
  email: string;
  password: string;
}

export interface Registration extends Credentials {
  full_name: string;
  organization_name?: string;
  /** The token of an invitation, to join its organization instead of making one. */
  invitation?: string;
}

/** The answer's tokens are dropped here: the dashboard lives on its cookies. */
const sessionOf = ({ user, organization }: Session): Session => ({ user, organization });

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Credentials) => sessionOf(await dataOf(api.POST("/api/v1/auth/login", { body }))),
    onSuccess: (session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, session);
    },
  });
}

export function useSignUp() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Registration) => sessionOf(await dataOf(api.POST("/api/v1/auth/register", { body }))),
    onSuccess: (session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, session);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/auth/logout")),
    onSettled: () => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, null);
    },
  });
}
