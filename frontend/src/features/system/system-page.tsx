import { api, dataOf } from "@/api/client";
import type { SystemState } from "@/api/types";
import { AsOf } from "@/features/report/answer-foot";
import { ago, bytes, clock, count, duration, milliseconds, minute, moment, percent } from "@/lib/format";
import { browserZone } from "@/lib/dates";
import { t } from "@/lib/strings";
import { Badge } from "@/ui/badge";
import { Card, CardHead } from "@/ui/card";
import { BarList } from "@/ui/chart/bar-list";
import { TimeChart } from "@/ui/chart/time-chart";
import { Metric } from "@/ui/metric";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { WithCode } from "@/ui/with-code";
import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { SmallTable } from "./small-table";
import { words } from "./words";

const POLL_MS = 5_000;

const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/system", { signal })),
  refetchInterval: POLL_MS,
});

export default function SystemPage() {
  const query = useQuery(systemQuery);
  return (
    <>
      <PageHead title={words.title} lead={`${words.lead} ${t.range.timesIn(browserZone(), true)}`} />
      {query.data ? (
        <System state={query.data} />
      ) : query.isError ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton className="h-120 rounded-xl" />
      )}
    </>
  );
}

function System({ state }: { state: SystemState }) {
  return (
    <div className="flex flex-col gap-4">
      <Metrics state={state} />
      <Section title={words.ingest}>
        <Ingest state={state} />
      </Section>
      <Errors state={state} />
      <Section title={words.processes}>
        <Processes state={state} />
      </Section>
      <Section title={words.tasks}>
        <Tasks state={state} />
      </Section>
      <Section title={words.slow} description={words.slowLead}>
        <SlowQuestions state={state} />
      </Section>
      <div className="grid gap-4 lg:grid-cols-2">
        <Section title={words.parts}>
          <BarList rows={Object.entries(state.disk.parts).filter(([, size]) => size > 0).sort((one, two) => two[1] - one[1]).map(([name, size]) => ({ key: name, name, value: size, text: bytes(size) }))} />
        </Section>
        <Section title={words.projects}>
          <SmallTable
            label={words.projects}
            heads={[words.project.name, words.project.rows, words.project.bytes, words.project.files, words.project.merge]}
            rows={state.projects.own.map((one) => [one.name, count(one.rows), bytes(one.bytes), count(one.files), count(one.files_to_merge)])}
          />
        </Section>
      </div>
      <Section title={words.backup}>
        <p className="text-sm text-ink-soft">
          {state.backup ? words.backupText(moment(state.backup.at, browserZone()), count(state.backup.files), bytes(state.backup.bytes)) : <WithCode text={words.noBackup} />}{" "}
          {state.backup && !state.backup.is_complete && <Badge tone="danger">{words.incomplete}</Badge>}
        </p>
      </Section>
      <p className="figures text-xs text-ink-faint">
        <AsOf answer={{ as_of: state.checked_at, timezone: browserZone() }} isLive />
      </p>
    </div>
  );
}

function Section({ title, description, children }: { title: string; description?: string; children: ReactNode }) {
  return (
    <Card className="min-w-0">
      <CardHead title={title} description={description} />
      <div className="p-5 pt-3">{children}</div>
    </Card>
  );
}

function Metrics({ state }: { state: SystemState }) {
  const { events_per_second: rates } = state.ingest;
  const rate = (value: number): string => count(Math.round(value * 10) / 10);
  return (
    <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-4">
      <Metric label={words.rate} value={rate(rates.minutes_1)}>
        {words.rateNote(rate(rates.minutes_5), rate(rates.minutes_15))}
      </Metric>
      <Metric label={words.journal} value={bytes(state.journal.bytes)}>
        {state.journal.oldest_seconds > 0 ? words.journalNote(duration(state.journal.oldest_seconds)) : words.journalEmpty}
      </Metric>
      <Metric label={words.disk} value={bytes(state.disk.free_bytes)}>
        {words.diskNote(bytes(state.disk.total_bytes))}
      </Metric>
      <Metric label={words.queries} value={count(state.queries.running)}>
        {words.queriesNote(count(state.queries.waiting), count(state.queries.slots))}
        {state.queries.cache_hit_rate !== null && ` · ${words.cache(percent(100 * state.queries.cache_hit_rate))}`}
      </Metric>
    </div>
  );
}

function Ingest({ state }: { state: SystemState }) {
  const { minutes } = state.ingest;
  const zone = browserZone();
  const places = minutes.map((one, index) => {
    const time = minute(one.at, zone);
    return { label: time, title: time, isIncomplete: index === minutes.length - 1 };
  });
  const series = [
    { key: "accepted", name: words.accepted, values: minutes.map((one) => one.accepted), color: 0 },
    { key: "not-stored", name: words.notStored, values: minutes.map((one) => one.not_stored), color: 2 },
    { key: "refused", name: words.refused, values: minutes.map((one) => one.refused), color: 5 },
  ];
  return <TimeChart label={words.ingest} places={places} series={series} format={count} height={200} />;
}

function Errors({ state }: { state: SystemState }) {
  const wrong = Object.entries(state.errors).filter(([, amount]) => amount > 0);
  const refused = Object.entries({ ...state.refused.events, ...state.refused.requests }).filter(([, amount]) => amount > 0);
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Section title={words.errors}>
        {wrong.length === 0 ? (
          <p className="text-sm text-positive">{words.allGood}</p>
        ) : (
          <BarList rows={wrong.map(([name, amount]) => ({ key: name, name, value: amount, text: count(amount) }))} />
        )}
      </Section>
      <Section title={words.refusedBy}>
        <BarList rows={refused.sort((one, two) => two[1] - one[1]).map(([name, amount]) => ({ key: name, name, value: amount, text: count(amount) }))} />
      </Section>
    </div>
  );
}

function Processes({ state }: { state: SystemState }) {
  const words_ = words.process;
  return (
    <SmallTable
      label={words.processes}
      heads={[words_.name, words_.state, words_.uptime, words_.memory, words_.cpu, words_.lag, words_.version]}
      rows={state.processes.map((one) => [
        one.name,
        <Badge key="state" tone={one.is_up ? "positive" : "danger"}>
          {one.is_up ? words_.up : words_.down}
        </Badge>,
        one.uptime_seconds === null ? "–" : duration(one.uptime_seconds),
        one.resident_bytes === null ? "–" : bytes(one.resident_bytes),
        one.cpu_seconds === null ? "–" : duration(one.cpu_seconds),
        one.loop_lag_seconds === null ? "–" : milliseconds(1_000 * one.loop_lag_seconds),
        one.version,
      ])}
    />
  );
}

function Tasks({ state }: { state: SystemState }) {
  const heads = words.task;
  const now = new Date(state.checked_at);
  return (
    <SmallTable
      label={words.tasks}
      heads={[heads.name, heads.every, heads.last, heads.took, heads.runs, heads.failures, heads.result]}
      rows={state.tasks.map((one) => [
        <span key="name" className="flex items-center gap-2">
          {one.name}
          <Badge tone={one.is_ok ? "positive" : "danger"}>{one.is_ok ? heads.ok : heads.failed}</Badge>
        </span>,
        duration(one.every_seconds),
        one.last_at ? ago(one.last_at, now) : "–",
        milliseconds(1_000 * one.last_seconds),
        count(one.runs),
        count(one.failures),
        one.error ?? (Object.entries(one.worked).map(([what, amount]) => `${what}: ${count(amount)}`).join(", ") || "–"),
      ])}
    />
  );
}

function SlowQuestions({ state }: { state: SystemState }) {
  const heads = words.slowHeads;
  const names = new Map(state.projects.own.map((one) => [one.id, one.name]));
  if (state.slow_queries.length === 0) return <p className="text-sm text-ink-faint">{words.noSlow}</p>;
  return (
    <SmallTable
      label={words.slow}
      heads={[heads.at, heads.route, heads.project, heads.took, heads.rows, heads.outcome]}
      rows={state.slow_queries.slice(0, 20).map((one) => [
        clock(one.at, browserZone()),
        <code key="route" className="font-mono text-xs">
          {one.route}
        </code>,
        one.project_id === null ? words.other : (names.get(one.project_id) ?? one.project_id),
        milliseconds(one.milliseconds),
        count(one.rows),
        one.outcome,
      ])}
    />
  );
}
