import { asProblem, explain } from "@/api/problem";
import type { CardAnswer, SharedCard, SharedThing } from "@/api/saved-types";
import { useTheme } from "@/app/theme";
import { CardAnswerView, NoteText } from "@/features/boards/cards/card-answer";
import { CardBody, CardShell, roomPx } from "@/features/boards/cards/card-shell";
import { measuredName } from "@/features/boards/cards/trend-series";
import { COLUMNS, GAP_PX, heightPx, inOrder, pairs, ROW_PX, settle } from "@/features/boards/layout-math";
import { words as boardWords } from "@/features/boards/words";
import { cn } from "@/lib/class-names";
import { lastDays, todayIn, type DayRange } from "@/lib/dates";
import { moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { useSeen } from "@/lib/use-seen";
import { useWidth } from "@/lib/use-width";
import { Button } from "@/ui/button";
import { EmptyState } from "@/ui/empty-state";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { Mark } from "@/ui/mark";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { Lock, Moon, Sun, Unlink } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useParams, useSearchParams } from "react-router";
import { sharedAnswerQuery, sharedQuery, unlock } from "./queries";
import { daysOfAll, daysText } from "./shared-days";
import { words } from "./words";

const said = words.shared;
const GRID_FROM_PX = 680;
const CHOICES = [7, 30, 90, 365];

/** What a link shows to anybody: no session, no navigation, nothing but this. */
export default function SharedPage() {
  const { token = "" } = useParams();
  // In memory only: closing the page forgets the pass.
  const [pass, setPass] = useState<string | null>(null);
  const shared = useQuery(sharedQuery(token, pass));
  if (shared.data) return <Shown thing={shared.data} token={token} pass={pass} />;
  if (!shared.isError) {
    return (
      <Page>
        <Skeleton className="h-9 w-64" />
        <Skeleton className="mt-6 h-100 rounded-xl" />
      </Page>
    );
  }
  const problem = asProblem(shared.error);
  if (problem.code === "password_required") {
    return (
      <Page>
        <Unlock token={token} onPass={setPass} />
      </Page>
    );
  }
  return (
    <Page>
      {problem.status === 404 ? (
        <EmptyState className="py-24" title={said.gone.title} description={said.gone.text} picture={<Unlink aria-hidden className="mb-4 size-8 text-ink-faint" />} />
      ) : (
        <Failure error={shared.error} onRetry={() => void shared.refetch()} />
      )}
    </Page>
  );
}

function Page({ title, children }: { title?: string; children: ReactNode }) {
  const [theme, choose] = useTheme();
  const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  const label = isDark ? said.light : said.dark;
  return (
    <div className="mx-auto flex min-h-dvh max-w-7xl flex-col px-4 pt-6 sm:px-8">
      <title>{title ? `${title} · ${t.product}` : t.product}</title>
      <main className="flex-1">{children}</main>
      <footer className="mt-10 flex items-center justify-between gap-4 border-t border-line py-4 text-sm text-ink-faint">
        <span className="flex items-center gap-2">
          {said.made}
          <Mark className="size-4" />
          <span className="font-medium text-ink-soft">{t.product}</span>
        </span>
        <Button size="sm" variant="ghost" onClick={() => choose(isDark ? "light" : "dark")} aria-label={`${said.theme}: ${label}`}>
          {isDark ? <Sun aria-hidden className="size-4" /> : <Moon aria-hidden className="size-4" />}
          {label}
        </Button>
      </footer>
    </div>
  );
}

function Unlock({ token, onPass }: { token: string; onPass: (pass: string) => void }) {
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const open = async (): Promise<void> => {
    setBusy(true);
    try {
      onPass((await unlock(token, password)).share_pass);
    } catch (error) {
      const problem = asProblem(error);
      const { title, advice } = explain(problem);
      setFault(problem.code === "invalid_credentials" ? said.locked.wrong : problem.status === 429 ? `${said.busy.title} ${said.busy.text}` : `${title} ${advice}`);
      setBusy(false);
    }
  };
  return (
    <form
      className="mx-auto mt-[12dvh] flex w-full max-w-sm flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void open();
      }}
    >
      <Lock aria-hidden className="size-6 text-ink-faint" />
      <div>
        <h1 className="text-xl font-semibold tracking-[-0.015em]">{said.locked.title}</h1>
        <p className="mt-1 text-ink-soft">{said.locked.text}</p>
      </div>
      <Field label={said.locked.field} error={fault}>
        {(wiring) => <Input {...wiring} type="password" autoComplete="off" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />}
      </Field>
      <Button type="submit" variant="primary" busy={isBusy} disabled={password === "" || isBusy}>
        {said.locked.open}
      </Button>
    </form>
  );
}

interface ShownProps {
  thing: SharedThing;
  token: string;
  pass: string | null;
}

function Shown({ thing, token, pass }: ShownProps) {
  const [search, setSearch] = useSearchParams();
  const [width, measure] = useWidth();
  const most = thing.choosable_days;
  const wanted = Number(search.get("days"));
  const today = todayIn(thing.timezone, new Date());
  const days: DayRange | null = most !== null && Number.isInteger(wanted) && wanted >= 1 && wanted <= most ? lastDays(wanted, today) : null;
  const daysOfCards = daysOfAll(thing.cards, days, today);
  const cards = settle(thing.cards.map((card) => ({ ...card, id: card.id ?? "" })));
  const isGrid = width !== null && width >= GRID_FROM_PX;
  const paired = pairs(inOrder(cards));
  return (
    <Page title={thing.title}>
      <header className="mb-6 flex flex-wrap items-end justify-between gap-4">
        <div className="min-w-0">
          <h1 dir="auto" className="stranger line-clamp-2 text-xl font-semibold tracking-[-0.015em]">
            {thing.title}
          </h1>
          <p dir="auto" className="stranger mt-0.5 text-sm text-ink-soft">
            {[daysOfCards, said.of(thing.project_name), t.range.zone(thing.timezone), thing.expires_at && said.ends(moment(thing.expires_at, thing.timezone))].filter(Boolean).join(" · ")}
          </p>
        </div>
        {most !== null && <DayChoice most={most} chosen={days === null ? "" : String(wanted)} onChange={(next) => setSearch(next === "" ? {} : { days: next }, { replace: true, preventScrollReset: true })} />}
      </header>
      {cards.length === 0 && <EmptyState title={said.noCards} description="" />}
      <ul
        ref={measure}
        className={cn("grid", !isGrid && "grid-cols-2")}
        style={{ gap: GAP_PX, ...(isGrid && { gridTemplateColumns: `repeat(${COLUMNS}, minmax(0, 1fr))`, gridAutoRows: ROW_PX }) }}
      >
        {width !== null &&
          inOrder(cards).map((card) => (
            <li
              key={card.id}
              className={cn("min-w-0", !isGrid && !paired.has(card.id) && "col-span-2")}
              style={isGrid ? { gridColumn: `${card.x + 1} / span ${card.w}`, gridRow: `${card.y + 1} / span ${card.h}` } : { height: heightPx(card.h) }}
            >
              <SharedCardView card={card} token={token} pass={pass} days={days} hasOwnDays={daysOfCards === null} timeZone={thing.timezone} />
            </li>
          ))}
      </ul>
    </Page>
  );
}

function DayChoice({ most, chosen, onChange }: { most: number; chosen: string; onChange: (days: string) => void }) {
  const choices = [...new Set([...CHOICES.filter((days) => days < most), most])];
  return (
    <Field label={said.days} labelHidden className="w-60">
      {(wiring) => (
        <NativeSelect {...wiring} value={chosen} onChange={(event) => onChange(event.target.value)}>
          <option value="">{said.own}</option>
          {choices.map((days) => (
            <option key={days} value={days}>
              {said.last(days)}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}

/** The question of a shared card is not told; its answer names it as the board does. */
function nameOf(asked: CardAnswer | undefined): string | null {
  if (asked?.kind === "funnel") return asked.answer.name;
  return asked?.kind === "trends" ? asked.answer.series.map((one) => (one.name === "*" ? measuredName(one.name, one.measure, one.property) : one.name)).join(", ") : null;
}

/** The days that the answer is about; a range may be open at a side. */
function shownDays(asked: CardAnswer | undefined): string | undefined {
  if (!asked || asked.kind === "events") return undefined;
  const { start, end } = asked.answer.date_range;
  return daysText(start === null && end === null ? null : { start: start ?? "…", end: end ?? "…" });
}

interface CardProps {
  card: SharedCard;
  token: string;
  pass: string | null;
  days: DayRange | null;
  /** The head does not tell which days the card shows. */
  hasOwnDays: boolean;
  timeZone: string;
}

function SharedCardView({ card, token, pass, days, hasOwnDays, timeZone }: CardProps) {
  const [isSeen, watch] = useSeen();
  const isNote = card.kind === "note";
  const query = useQuery(sharedAnswerQuery(token, pass, card.id, days, isSeen && !isNote));
  const title = card.title ?? nameOf(query.data) ?? boardWords.kinds[card.kind];
  const isGone = query.isError && asProblem(query.error).status === 404;
  return (
    <CardShell title={title} detail={hasOwnDays ? shownDays(query.data) : undefined}>
      <div ref={watch} className="h-full">
        {isNote ? (
          <NoteText text={card.text ?? ""} />
        ) : isGone ? (
          <p className="grid h-full place-items-center text-sm text-ink-faint">{said.unavailable}</p>
        ) : (
          <CardBody query={query}>{(asked) => <CardAnswerView asked={asked} view={card.view} timeZone={timeZone} height={roomPx(card.h)} />}</CardBody>
        )}
      </div>
    </CardShell>
  );
}
