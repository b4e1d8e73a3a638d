import { asProblem, explain } from "@/api/problem";
import type { Invitation, Member, Role } from "@/api/types";
import { sessionQuery } from "@/features/account/queries";
import { isAtLeast, ROLES } from "@/features/account/roles";
import { browserZone, todayIn } from "@/lib/dates";
import { day, moment } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { UserRoundPlus } from "lucide-react";
import { useState } from "react";
import { InviteDialog } from "./invite-dialog";
import { invitationsQuery, membersQuery, useChangeRole, useRemoveMember, useRevokeInvitation } from "./queries";
import { words } from "./words";

export default function MembersPage() {
  const me = useQuery(sessionQuery).data?.user;
  const members = useQuery(membersQuery);
  const [isInviting, setInviting] = useState(false);
  const role = (me?.role ?? "viewer") as Role;
  const mayManage = isAtLeast(role, "admin");
  return (
    <div className="mx-auto max-w-3xl">
      <PageHead title={words.title} lead={words.lead}>
        {mayManage && (
          <Button variant="primary" onClick={() => setInviting(true)}>
            <UserRoundPlus aria-hidden className="size-4" />
            {words.invite}
          </Button>
        )}
      </PageHead>
      {members.isError && !members.data ? (
        <Failure error={members.error} onRetry={() => void members.refetch()} />
      ) : members.data && me ? (
        <Card>
          <ul className="divide-y divide-line">
            {members.data.map((member) => (
              <MemberRow key={member.id} member={member} me={{ id: me.id, role }} />
            ))}
          </ul>
        </Card>
      ) : (
        <Skeleton className="h-48 rounded-xl" />
      )}
      {mayManage && <Invitations />}
      {isInviting && <InviteDialog highest={role} onClose={() => setInviting(false)} />}
    </div>
  );
}

function MemberRow({ member, me }: { member: Member; me: { id: string; role: Role } }) {
  const change = useChangeRole();
  const remove = useRemoveMember();
  const toast = useToast();
  const [isAsking, setAsking] = useState(false);
  const name = member.full_name || member.email;
  const isOwn = member.id === me.id;
  // Admins manage everybody but owners; nobody changes the own role here.
  const mayChange = !isOwn && isAtLeast(me.role, "admin") && (me.role === "owner" || member.role !== "owner");
  const refuse = (error: unknown): void => {
    const { title, advice } = explain(asProblem(error));
    toast({ tone: "danger", text: `${title} ${advice}` });
  };
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <span aria-hidden className="grid size-8 shrink-0 place-items-center rounded-full bg-accent-wash text-xs font-semibold text-accent-ink uppercase">
        {[...name][0]}
      </span>
      <div className="min-w-40 flex-1">
        <p dir="auto" className="stranger font-medium">
          {name} {isOwn && <Badge>{words.you}</Badge>}
        </p>
        <p className="stranger text-sm text-ink-faint">
          {member.email} · {words.since(day(todayIn(browserZone(), new Date(member.created_at))))}
        </p>
      </div>
      {mayChange ? (
        <>
          <NativeSelect
            className="w-32"
            aria-label={words.roleOf(name)}
            value={member.role}
            disabled={change.isPending}
            onChange={(event) => {
              const role = event.target.value as Role;
              change.mutate({ member, role }, { onSuccess: () => toast({ text: words.changed(name, words.roles[role]) }), onError: refuse });
            }}
          >
            {ROLES.filter((one) => me.role === "owner" || one !== "owner").map((one) => (
              <option key={one} value={one}>
                {words.roles[one]}
              </option>
            ))}
          </NativeSelect>
          <Button size="sm" variant="danger" aria-label={words.removeOf(name)} onClick={() => setAsking(true)}>
            {words.remove}
          </Button>
        </>
      ) : (
        <Badge>{words.roles[member.role]}</Badge>
      )}
      <ConfirmDialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          remove.mutate(member.id, { onSuccess: () => toast({ text: words.removed }), onError: refuse, onSettled: () => setAsking(false) })
        }
        title={words.removeTitle(name)}
        description={words.removeText}
        confirm={words.remove}
        busy={remove.isPending}
      />
    </li>
  );
}

function Invitations() {
  const invitations = useQuery(invitationsQuery);
  const open = invitations.data ?? [];
  if (open.length === 0) return null;
  return (
    <Card className="mt-4">
      <CardHead title={words.open} />
      <ul className="mt-2 divide-y divide-line">
        {open.map((one) => (
          <InvitationRow key={one.id} invitation={one} />
        ))}
      </ul>
    </Card>
  );
}

function InvitationRow({ invitation }: { invitation: Invitation }) {
  const revoke = useRevokeInvitation();
  const toast = useToast();
  const [isAsking, setAsking] = useState(false);
  const confirm = (): void =>
    revoke.mutate(invitation.id, {
      onSuccess: () => toast({ text: words.revoked }),
      onError: (error) => {
        const { title, advice } = explain(asProblem(error));
        toast({ tone: "danger", text: `${title} ${advice}` });
      },
      onSettled: () => setAsking(false),
    });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-2.5 text-sm">
      <span className="stranger min-w-40 flex-1 font-medium">{invitation.email}</span>
      <Badge>{words.roles[invitation.role]}</Badge>
      <span className="figures text-ink-faint">{words.expires(moment(invitation.expires_at, browserZone()))}</span>
      <Button size="sm" variant="ghost" aria-label={words.revokeOf(invitation.email)} onClick={() => setAsking(true)}>
        {words.revoke}
      </Button>
      <ConfirmDialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={confirm}
        title={words.revokeTitle(invitation.email)}
        description={words.revokeText}
        confirm={words.revoke}
        busy={revoke.isPending}
      />
    </li>
  );
}
