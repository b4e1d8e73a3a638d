import type { Share, ShareKind } from "@/api/saved-types";
import { paths } from "@/app/paths";
import { rangeOfChoice } from "@/features/boards/ranges";
import { useProjectZone } from "@/features/projects/queries";
import type { RangeChoice } from "@/features/report/range-state";
import { ago, count, moment } from "@/lib/format";
import { Button } from "@/ui/button";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { CopyButton } from "@/ui/copy-button";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { Failure, FormError } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Link2, Lock, Share2, Trash2 } from "lucide-react";
import { useState } from "react";
import { sharesQuery, useMakeShare, useRevokeShare } from "./queries";
import { emptyDraft, isShort, shareChoice, type ShareDraft } from "./share-draft";
import { words } from "./words";

interface Props {
  projectId: string;
  kind: ShareKind;
  targetId: string;
  name: string;
  /** Of a funnel: what else is asked, as a card asks it, without the funnel's id. */
  question?: Record<string, unknown>;
  /** Of a funnel: the days that the link shows; presets move on with time. */
  choice?: RangeChoice;
}

/** Opens the links to a funnel, a saved view or a board. */
export function ShareButton(props: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Share2 aria-hidden className="size-4 text-ink-faint" />
        {words.action}
      </Button>
      {isOpen && <ShareSheet {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Makes a link, lists those that there are, ends them. */
export function ShareSheet({ projectId, kind, targetId, name, question, choice, onClose }: Props & { onClose: () => void }) {
  const make = useMakeShare(projectId);
  const [draft, setDraft] = useState<ShareDraft>(emptyDraft);
  const [token, setToken] = useState<string | null>(null);
  const submit = (): void => {
    if (isShort(draft.password)) return;
    const body = shareChoice(draft, { kind, id: targetId, ...(question && { question }), ...(choice && { range: rangeOfChoice(choice) }) }, new Date());
    make.mutate(body, {
      onSuccess: (made) => {
        setToken(made.token);
        setDraft(emptyDraft);
      },
    });
  };
  return (
    <Sheet open onClose={onClose} title={words.title(name)} description={words.lead}>
      {token === null ? (
        <ShareForm draft={draft} error={make.error} isBusy={make.isPending} onChange={setDraft} onSubmit={submit} />
      ) : (
        <NewLink link={globalThis.location.origin + paths.shared(token)} onDone={() => setToken(null)} />
      )}
      <ShareList projectId={projectId} targetId={targetId} />
    </Sheet>
  );
}

function NewLink({ link, onDone }: { link: string; onDone: () => void }) {
  return (
    <section aria-label={words.once} className="rounded-lg border border-accent bg-accent-wash p-4">
      <h3 className="font-semibold">{words.once}</h3>
      <p className="mt-0.5 text-sm text-ink-soft">{words.onceText}</p>
      <Input readOnly aria-label={words.link} value={link} onFocus={(event) => event.target.select()} className="mt-3 font-mono text-xs" />
      <div className="mt-3 flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onDone}>
          {words.done}
        </Button>
        <CopyButton text={link} label={words.copy} variant="primary" />
      </div>
    </section>
  );
}

interface FormProps {
  draft: ShareDraft;
  error: unknown;
  isBusy: boolean;
  onChange: (draft: ShareDraft) => void;
  onSubmit: () => void;
}

function ShareForm({ draft, error, isBusy, onChange, onSubmit }: FormProps) {
  const set = (part: Partial<ShareDraft>): void => onChange({ ...draft, ...part });
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <FormError error={error} />
      <Field label={words.label} hint={words.labelHint}>
        {(wiring) => <Input {...wiring} dir="auto" maxLength={200} placeholder={words.labelPlaceholder} value={draft.label} onChange={(event) => set({ label: event.target.value })} />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Choice label={words.expires} value={draft.ends} none={words.never} options={words.ends} onChange={(ends) => set({ ends })} />
        <Choice label={words.choosable} value={draft.days} none={words.noDays} options={words.days} onChange={(days) => set({ days })} />
      </div>
      <Field label={words.password} hint={words.passwordHint} error={isShort(draft.password) ? words.passwordShort : undefined}>
        {(wiring) => <Input {...wiring} type="password" autoComplete="new-password" value={draft.password} onChange={(event) => set({ password: event.target.value })} />}
      </Field>
      <Button type="submit" variant="primary" busy={isBusy} className="self-end">
        <Link2 aria-hidden className="size-4" />
        {words.make}
      </Button>
    </form>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  none: string;
  options: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}

function Choice({ label, value, none, options, onChange }: ChoiceProps) {
  return (
    <Field label={label}>
      {(wiring) => (
        <NativeSelect {...wiring} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{none}</option>
          {Object.entries(options).map(([days, text]) => (
            <option key={days} value={days}>
              {text}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}

function ShareList({ projectId, targetId }: { projectId: string; targetId: string }) {
  const shares = useQuery(sharesQuery(projectId));
  const timeZone = useProjectZone(projectId);
  const revoke = useRevokeShare(projectId);
  const [asked, setAsked] = useState<Share | null>(null);
  const shown = (shares.data ?? []).filter((one) => one.target_id === targetId);
  return (
    <section aria-label={words.list} className="mt-6 border-t border-line pt-4">
      <h3 className="text-sm font-semibold">{words.list}</h3>
      {shares.isError && !shares.data ? (
        <Failure error={shares.error} onRetry={() => void shares.refetch()} className="py-6" />
      ) : !shares.data ? (
        <Skeleton className="mt-3 h-12 rounded-lg" />
      ) : shown.length === 0 ? (
        <p className="mt-2 text-sm text-ink-faint">{words.none}</p>
      ) : (
        <ul className="mt-1 divide-y divide-line">
          {shown.map((one) => (
            <ShareRow key={one.id} share={one} timeZone={timeZone} onRevoke={() => setAsked(one)} />
          ))}
        </ul>
      )}
      {/* A toast would lie behind the sheet. */}
      <p role="status" className="text-sm text-positive">
        {revoke.isSuccess && words.revoked}
      </p>
      <FormError error={revoke.error} />
      <ConfirmDialog
        open={asked !== null}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && revoke.mutate(asked.id, { onSettled: () => setAsked(null) })}
        title={words.revokeTitle(asked ? nameOf(asked) : words.unnamed)}
        description={words.revokeText}
        confirm={words.revoke}
        busy={revoke.isPending}
      />
    </section>
  );
}

const nameOf = (share: Share): string => share.label ?? `${words.unnamed} ${words.end(share.token_end)}`;

function ShareRow({ share, timeZone, onRevoke }: { share: Share; timeZone: string; onRevoke: () => void }) {
  const name = nameOf(share);
  const facts = [
    share.is_expired ? words.expired : share.expires_at && words.until(moment(share.expires_at, timeZone)),
    share.has_password && words.withPassword,
    share.choosable_days && words.within(share.choosable_days),
    share.last_opened_at ? words.opened(share.opened === 1 ? words.times(1) : `${count(share.opened)}×`, ago(share.last_opened_at, new Date())) : words.unopened,
  ].filter((fact): fact is string => Boolean(fact));
  return (
    <li className="flex items-center gap-3 py-2.5">
      {share.has_password ? <Lock aria-hidden className="size-4 shrink-0 text-ink-faint" /> : <Link2 aria-hidden className="size-4 shrink-0 text-ink-faint" />}
      <div className="min-w-0 flex-1">
        <p dir="auto" className="stranger line-clamp-1 text-sm font-medium">
          {name} {share.label && <span className="font-normal text-ink-faint">{words.end(share.token_end)}</span>}
        </p>
        <p className="figures text-xs text-ink-faint">{facts.join(" · ")}</p>
      </div>
      <Button variant="ghost" size="icon-sm" aria-label={words.revokeOf(name)} title={words.revoke} onClick={onRevoke}>
        <Trash2 aria-hidden className="size-4" />
      </Button>
    </li>
  );
}
