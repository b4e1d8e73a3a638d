import { paths } from "@/app/paths";
import { ago, count, moment, stamp } from "@/lib/format";
import { lengthOf } from "@/features/sessions/session-math";
import { Badge } from "@/ui/badge";
import { Card, CardHead } from "@/ui/card";
import { BarList } from "@/ui/chart/bar-list";
import { CopyButton } from "@/ui/copy-button";
import { Segmented } from "@/ui/segmented";
import { Scroller } from "@/ui/scroller";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { pageOf } from "./journey";
import type { Profile } from "./queries";
import { personWords } from "./words";

/** Traits, identities, sessions and frequent values of one person. */
export function ProfileCards({ projectId, profile, timeZone }: { projectId: string; profile: Profile; timeZone: string }) {
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Traits profile={profile} timeZone={timeZone} />
      <Identities projectId={projectId} profile={profile} timeZone={timeZone} />
      <Sessions profile={profile} timeZone={timeZone} />
      <Frequent profile={profile} />
    </div>
  );
}

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <Card className="min-w-0 pb-4">
      <CardHead title={title} description={lead} />
      <div className="mt-3 px-5">{children}</div>
    </Card>
  );
}

const None = ({ text }: { text: string }) => <p className="text-sm text-ink-faint">{text}</p>;

function Traits({ profile, timeZone }: { profile: Profile; timeZone: string }) {
  const words = personWords.traits;
  return (
    <Section title={words.title} lead={words.lead}>
      {profile.traits.length === 0 ? (
        <None text={words.none} />
      ) : (
        <dl className="max-h-96 divide-y divide-line overflow-y-auto text-sm" tabIndex={0} aria-label={words.title}>
          {profile.traits.map((trait) => (
            <div key={trait.name} className="grid grid-cols-[minmax(5rem,38%)_1fr] gap-3 py-1.5" title={words.said(moment(trait.at, timeZone))}>
              <dt dir="auto" className="stranger text-ink-soft">
                {trait.name}
              </dt>
              <dd dir="auto" className="stranger font-medium">
                {shown(trait.value)}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

function Identities({ projectId, profile, timeZone }: { projectId: string; profile: Profile; timeZone: string }) {
  const words = personWords.ids;
  const { users, anonymous } = profile.ids;
  return (
    <Section title={words.title} lead={words.lead}>
      <div className="flex flex-col gap-3 text-sm">
        {users.length > 0 && <IdList title={words.users} ids={users} />}
        {anonymous.length > 0 && <IdList title={words.anonymous} ids={anonymous} />}
        {(users.length >= 20 || anonymous.length >= 20) && <None text={words.first} />}
        {profile.identities.length === 0 ? (
          <None text={words.none} />
        ) : (
          <ol className="max-h-72 overflow-y-auto border-l border-line pl-4" tabIndex={0} aria-label={words.lead}>
            {profile.identities.map((edge) => (
              <li key={edge.event_id + edge.other} className="py-1.5">
                <p className="figures flex flex-wrap items-center gap-2 text-xs text-ink-faint">
                  {stamp(edge.at, timeZone)}
                  <Badge>{words[edge.kind]}</Badge>
                  {edge.is_revoked && <Badge tone="warning">{words.revoked}</Badge>}
                </p>
                <p dir="auto" className="stranger line-clamp-3">
                  <Link to={paths.person(projectId, edge.user_id)} className="hover:underline">
                    {words.joined(edge.user_id, edge.other)}
                  </Link>
                </p>
              </li>
            ))}
          </ol>
        )}
      </div>
    </Section>
  );
}

function IdList({ title, ids }: { title: string; ids: readonly string[] }) {
  return (
    <div>
      <h3 className="text-xs font-medium text-ink-faint">{title}</h3>
      <ul>
        {ids.map((id) => (
          <li key={id} className="flex items-center justify-between gap-2">
            <span dir="auto" className="stranger line-clamp-2 min-w-0 font-mono text-xs">
              {id}
            </span>
            <CopyButton text={id} variant="ghost" size="sm" />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Sessions({ profile, timeZone }: { profile: Profile; timeZone: string }) {
  const words = personWords.sessions;
  return (
    <Section title={words.title} lead={words.lead}>
      {profile.sessions.length === 0 ? (
        <None text={words.none} />
      ) : (
        <ol className="max-h-96 divide-y divide-line overflow-y-auto text-sm" tabIndex={0} aria-label={words.title}>
          {profile.sessions.map((session) => (
            <li key={session.start} className="py-1.5">
              <p className="figures flex flex-wrap justify-between gap-x-3">
                <span className="font-medium">{stamp(session.start, timeZone)}</span>
                <span className="text-ink-soft">{`${lengthOf(session.duration_seconds)} · ${words.events(count(session.events))}`}</span>
              </p>
              {session.entry_url && (
                <p dir="auto" className="stranger line-clamp-1 text-xs text-ink-faint" title={session.entry_url}>
                  {session.exit_url && session.exit_url !== session.entry_url ? `${pageOf(session.entry_url)} → ${pageOf(session.exit_url)}` : pageOf(session.entry_url)}
                </p>
              )}
              {session.referrer && (
                <p dir="auto" className="stranger line-clamp-1 text-xs text-ink-faint" title={session.referrer}>
                  {words.from(pageOf(session.referrer))}
                </p>
              )}
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

function Frequent({ profile }: { profile: Profile }) {
  const words = personWords.values;
  const lists = Object.entries(profile.values).filter(([, values]) => values.length > 0);
  const [name, setName] = useState(lists[0]?.[0] ?? "");
  const values = profile.values[name] ?? [];
  if (lists.length === 0) return null;
  return (
    <Section title={words.title}>
      <Scroller className="mb-2 max-w-full">
        <Segmented label={words.title} value={name} options={lists.map(([one]) => ({ value: one, label: words.names[one] ?? one }))} onChange={setName} />
      </Scroller>
      <BarList rows={values.map((one) => ({ key: one.value, name: one.value, value: one.events, text: count(one.events) }))} />
    </Section>
  );
}

/** "3 hours ago", the moment itself on hover. */
export function Ago({ iso, timeZone }: { iso: string; timeZone: string }) {
  return <span title={moment(iso, timeZone)}>{ago(iso, new Date())}</span>;
}
