import { api, dataOf } from "@/api/client";
import type { Member, Role } from "@/api/types";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export const membersQuery = queryOptions({
  queryKey: ["members"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/members", { signal })),
  select: (answer) => answer.members,
});

export const invitationsQuery = queryOptions({
  queryKey: ["invitations"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/invitations", { signal })),
  select: (answer) => answer.invitations,
});

export function useChangeRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ member, role }: { member: Member; role: Role }) =>
      dataOf(
        api.PUT("/api/v1/members/{user_id}", {
          params: { path: { user_id: member.id } },
          body: { role },
          headers: { "If-Match": `"${member.version}"` },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["members"] }),
  });
}

export function useRemoveMember() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => dataOf(api.DELETE("/api/v1/members/{user_id}", { params: { path: { user_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["members"] }),
  });
}

export function useInvite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { email: string; role: Role }) => dataOf(api.POST("/api/v1/invitations", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["invitations"] }),
  });
}

export function useRevokeInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => dataOf(api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["invitations"] }),
  });
}
