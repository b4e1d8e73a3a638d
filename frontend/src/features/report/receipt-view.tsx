import type { Receipt } from "@/api/types";
import { CodeBlock } from "@/features/setup/code-block";
import { bytes, count, moment } from "@/lib/format";
import { t } from "@/lib/strings";
import { Failure } from "@/ui/notice";
import { Scroller } from "@/ui/scroller";
import { Skeleton } from "@/ui/skeleton";
import { WithCode } from "@/ui/with-code";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { words } from "./words";

interface Props {
  load: () => Promise<Receipt>;
  timeZone: string;
  dataVersion: string;
  more?: (receipt: Receipt) => ReactNode;
}

/** The receipt of one answer: SQL, files and what was not counted. */
export default function ReceiptView({ load, timeZone, dataVersion, more }: Props) {
  // Of this very opening: the next one asks anew, because the question may have changed.
  const receipt = useQuery({ queryKey: ["receipt", dataVersion, load], queryFn: load, gcTime: 0, staleTime: Number.POSITIVE_INFINITY });
  if (receipt.isError) return <Failure error={receipt.error} onRetry={() => void receipt.refetch()} />;
  if (!receipt.data) return <Skeleton className="h-100 rounded-lg" aria-label={t.states.loading} />;
  const one = receipt.data;
  return (
    <div className="flex flex-col gap-5 text-sm">
      <p className="text-ink-soft">{words.lead}</p>
      <section>
        <h3 className="mb-2 font-semibold">{words.counted}</h3>
        <dl className="figures grid grid-cols-[1fr_auto] gap-x-6 gap-y-1">
          {facts(one, timeZone, dataVersion).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-ink-soft">{name}</dt>
              <dd className="text-right font-medium">{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h3 className="mb-2 font-semibold">{words.sql}</h3>
        <CodeBlock code={one.sql} label={words.sql} copyLabel={words.copySql} />
        <p className="mt-2 text-xs text-ink-faint"><WithCode text={one.stands_alone ? words.standsAlone : words.needsMore} /></p>
      </section>
      <section>
        <h3 className="mb-2 font-semibold">{words.setup}</h3>
        <CodeBlock code={one.setup} label={words.setup} />
      </section>
      <Files files={one.files} />
      {more?.(one)}
      <section>
        <h3 className="mb-2 font-semibold">{words.terms}</h3>
        <p className="text-ink-soft">{`${words.facts.version}: ${t.report.hints.version}`}</p>
        <p className="mt-1 text-ink-soft">{`${words.semantics}: ${t.report.hints.semantics}`}</p>
      </section>
    </div>
  );
}

function Files({ files }: { files: Receipt["files"] }) {
  return (
    <section>
      <h3 className="mb-2 font-semibold">{words.files(count(files.length))}</h3>
      <Scroller label={words.files(count(files.length))} className="max-h-80 overflow-hidden rounded-lg border border-line">
        <table className="figures w-full text-xs">
          <thead>
            <tr className="bg-sunken text-ink-soft">
              {[words.path, words.rows, words.size, words.checksum].map((head) => (
                <th key={head} scope="col" className="px-3 py-1.5 text-left font-medium">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {files.map((file) => (
              <tr key={file.path}>
                <td className="px-3 py-1.5 font-mono [overflow-wrap:anywhere]">{file.path}</td>
                <td className="px-3 py-1.5">{file.rows === null || file.rows === undefined ? "–" : count(file.rows)}</td>
                <td className="px-3 py-1.5 whitespace-nowrap">{file.bytes === null || file.bytes === undefined ? "–" : bytes(file.bytes)}</td>
                <td className="px-3 py-1.5 font-mono">{file.xxh64 ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </section>
  );
}

const known = (one: { count: number | null; is_exact: boolean }): string =>
  one.count === null ? words.unknown : one.is_exact ? count(one.count) : words.atLeast(count(one.count));

function facts(one: Receipt, timeZone: string, dataVersion: string): [string, string][] {
  return [
    [words.facts.inRange, count(one.events_in_range)],
    [words.facts.inSpan, count(one.events_in_span)],
    [words.facts.tail, count(one.tail_rows)],
    [words.facts.bots, count(one.bots)],
    [words.facts.late, count(one.late_events)],
    [words.facts.rejected, known(one.rejected)],
    [words.facts.duplicates, known(one.duplicates)],
    [words.facts.edges, count(one.identity_edges)],
    [words.facts.asOf, moment(one.as_of, timeZone)],
    [words.facts.version, dataVersion],
    [words.facts.engine, `${one.engine} ${one.engine_version}`],
  ];
}
