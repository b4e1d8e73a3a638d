import { asProblem, explain } from "@/api/problem";
import { useMay } from "@/features/account/use-role";
import { ago, clock, count } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { useToast } from "@/ui/toast";
import { WithCode } from "@/ui/with-code";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import { diagnosisQuery, useAllowOrigin } from "./queries";
import { isSettled, remediesOf, shownFindings, type Finding, type Remedy } from "./remedies";
import { words } from "./words";

const said = words.why;
const ICONS = { error: CircleAlert, warning: TriangleAlert, info: Info, ok: Info } as const;
const TONES = { error: "danger", warning: "warning", info: "neutral", ok: "positive" } as const;
const INKS = { error: "text-danger", warning: "text-warning", info: "text-ink-faint", ok: "text-positive" } as const;

interface Props {
  projectId: string;
  timeZone: string;
  createdAt: string;
  isWaiting: boolean;
}

/** The server's own words on what it refused, each with what can be done about it here and now. */
export function WhyCard({ projectId, timeZone, createdAt, isWaiting }: Props) {
  const diagnosis = useQuery(diagnosisQuery(projectId, isWaiting)).data;
  const findings = diagnosis ? shownFindings(diagnosis.findings, { isWaiting, createdAt, checkedAt: diagnosis.checked_at }) : [];
  // Without anything wrong the card of a project that receives has nothing to say.
  if (!diagnosis || (findings.length === 0 && !isWaiting)) return null;
  return (
    <Card aria-live="polite">
      <CardHead title={isWaiting ? (findings.some((one) => one.severity !== "info") ? said.title : said.titleWaiting) : said.titleLater}>
        <span className="figures pt-0.5 text-xs text-ink-faint">{said.checked(clock(diagnosis.checked_at, timeZone))}</span>
      </CardHead>
      {findings.length === 0 ? (
        <p className="px-5 pt-2 pb-4 text-sm text-ink-soft">{said.calm}</p>
      ) : (
        <ul className="mt-2 divide-y divide-line">
          {findings.map((finding) => (
            <FindingItem key={finding.code} projectId={projectId} finding={finding} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function FindingItem({ projectId, finding }: { projectId: string; finding: Finding }) {
  const settled = isSettled(finding);
  const severity = settled ? "info" : finding.severity;
  const Icon = ICONS[severity];
  return (
    <li className="flex gap-3 px-5 py-3.5">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${INKS[severity]}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-start gap-x-2 gap-y-1">
          <span className="stranger text-sm font-medium">{finding.title}</span>
          <Badge tone={TONES[severity]}>{settled ? said.settled : said.severity[severity]}</Badge>
        </p>
        {/* An advice with samples quotes them: what they hold is shown as it came. */}
        <p className="stranger mt-1 text-sm text-ink-soft">{finding.samples.length === 0 ? <WithCode text={finding.advice} /> : finding.advice}</p>
        {finding.count > 0 && <p className="figures mt-1 text-xs text-ink-faint">{settled ? said.countsSettled(count(finding.count)) : said.counts(count(finding.count), count(finding.lately))}</p>}
        <Samples finding={finding} />
        <Remedies projectId={projectId} remedies={remediesOf(projectId, finding)} />
      </div>
    </li>
  );
}

function Samples({ finding }: { finding: Finding }) {
  if (finding.samples.length === 0) return null;
  const now = new Date();
  return (
    <details className="mt-1.5 text-xs">
      <summary className="w-fit cursor-pointer rounded text-ink-soft">{said.samples}</summary>
      <ul className="mt-1.5 flex flex-col gap-1.5">
        {finding.samples.map((sample, index) => {
          const parts = [sample.origin, sample.route, sample.key_last4 && said.keyEnds(sample.key_last4), sample.event_type, sample.pointer, sample.message];
          return (
            <li key={index} className="rounded-md bg-sunken px-2.5 py-1.5">
              <span dir="auto" className="stranger text-ink">
                {parts.filter(Boolean).join(" · ") || sample.reason}
              </span>
              <span className="figures block text-ink-soft">{said.sampleOf(count(sample.count), ago(sample.at, now))}</span>
            </li>
          );
        })}
      </ul>
    </details>
  );
}

function Remedies({ projectId, remedies }: { projectId: string; remedies: readonly Remedy[] }) {
  const mayChange = useMay("admin");
  const allow = useAllowOrigin(projectId);
  const toast = useToast();
  if (!mayChange || remedies.length === 0) return null;
  const run = (origin: string): void =>
    allow.mutate(origin, {
      onSuccess: () => toast({ text: said.remedies.allowed(origin) }),
      onError: (error) => {
        const { title, advice } = explain(asProblem(error));
        toast({ tone: "danger", text: `${title} ${advice}` });
      },
    });
  return (
    <div className="mt-2.5 flex flex-wrap gap-2">
      {remedies.map((remedy) =>
        remedy.kind === "allow" ? (
          <Button key={remedy.label} size="sm" variant="primary" className="max-w-full" busy={allow.isPending && allow.variables === remedy.origin} onClick={() => run(remedy.origin)}>
            <span className="truncate">{remedy.label}</span>
          </Button>
        ) : (
          <Button key={remedy.label} size="sm" asChild>
            <Link to={remedy.to}>{remedy.label}</Link>
          </Button>
        ),
      )}
    </div>
  );
}
