import { paths } from "@/app/paths";
import { stamp } from "@/lib/format";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Segmented } from "@/ui/segmented";
import { UserRound } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { personOf } from "./log-question";
import { words as allWords } from "./words";

const words = allWords.detail;
const TIMES = new Set(["created_at", "received_at", "timestamp"]);
/** Shown in this order before all others. */
const FIRST = ["event_type", "created_at", "received_at", "user_id", "anonymous_id", "id"];

interface Props {
  projectId: string;
  timeZone: string;
  /** As the service gives it. */
  event: Record<string, unknown>;
  children?: ReactNode;
}

/** One event as a list that reads, or as JSON to copy. */
export function EventDetail({ projectId, timeZone, event, children }: Props) {
  const [view, setView] = useState<"list" | "json">("list");
  const json = JSON.stringify(event, null, 2);
  const person = personOf(event);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <Segmented label={words.view} value={view} options={[{ value: "list", label: words.list }, { value: "json", label: words.json }]} onChange={setView} />
        <span className="flex-1" />
        {person !== null && (
          <Button asChild size="sm">
            <Link to={paths.person(projectId, person)}>
              <UserRound aria-hidden className="size-3.5" />
              {words.person}
            </Link>
          </Button>
        )}
        <CopyButton text={json} label={words.copy} />
        {children}
      </div>
      {view === "json" ? (
        <pre dir="ltr" tabIndex={0} aria-label={words.json} className="stranger max-h-[70dvh] overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs whitespace-pre-wrap">
          {json}
        </pre>
      ) : (
        <AsList event={event} timeZone={timeZone} />
      )}
    </div>
  );
}

function AsList({ event, timeZone }: { event: Record<string, unknown>; timeZone: string }) {
  const { properties, ...stored } = event;
  const known = FIRST.filter((name) => name in stored);
  const names = [...known, ...Object.keys(stored).filter((name) => !known.includes(name))].filter((name) => stored[name] !== null && stored[name] !== undefined);
  const own = typeof properties === "object" && properties !== null && !Array.isArray(properties) ? Object.entries(properties) : [];
  return (
    <>
      <section>
        <h3 className="mb-1.5 text-sm font-semibold">{words.properties}</h3>
        {own.length === 0 ? <p className="text-sm text-ink-faint">{words.noProperties}</p> : <Facts facts={own.map(([name, value]) => [name, textOf(value)])} isOwn />}
      </section>
      <section>
        <h3 className="mb-1.5 text-sm font-semibold">{words.stored}</h3>
        <Facts facts={names.map((name) => [name, TIMES.has(name) ? timeOf(stored[name], timeZone) : textOf(stored[name])])} />
      </section>
    </>
  );
}

function Facts({ facts, isOwn = false }: { facts: readonly (readonly [string, string])[]; isOwn?: boolean }) {
  return (
    <dl className="divide-y divide-line rounded-lg border border-line text-sm">
      {facts.map(([name, value]) => (
        <div key={name} className="grid grid-cols-[minmax(6rem,35%)_1fr] gap-3 px-3 py-1.5">
          <dt dir={isOwn ? "auto" : undefined} className="stranger text-ink-soft">
            {name}
          </dt>
          <dd dir="auto" className="stranger figures min-w-0 whitespace-pre-wrap">
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

/** The project's time for reading, and the stored instant to the microsecond. */
function timeOf(value: unknown, timeZone: string): string {
  return typeof value === "string" ? `${stamp(value, timeZone)} (${timeZone})\n${value}` : textOf(value);
}
