import type { Receipt } from "@/api/types";
import { clock, count, day, dayRange, milliseconds, percent } from "@/lib/format";
import { t } from "@/lib/strings";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/sheet";
import { Spinner } from "@/ui/spinner";
import { ReceiptText } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";

const ReceiptView = lazy(() => import("./receipt-view"));

/** The members that every answer of the service has. */
export interface AnswerFrame {
  date_range: { start: string | null; end: string | null };
  timezone: string;
  as_of: string;
  data_version: string;
  semantics_version: number;
  rows_read: number;
  elapsed_ms: number;
  /** Answers over people say whether their events are a sample, and the smallest share of events that was kept. */
  sampling?: "by_user" | "biased" | null;
  smallest_sample_rate?: number | null;
}

interface Props {
  answer: AnswerFrame;
  isLive: boolean;
  isStale?: boolean;
  /** The days compared with, when some are. */
  compared?: { start: string | null; end: string | null } | null;
  excludesBots?: boolean;
  /** What is counted is a sample, where the answer itself has no word for it. */
  isSampled?: boolean;
  /** Asks for the receipt of this very question; without it the foot has no button. */
  loadReceipt?: () => Promise<Receipt>;
  /** More ways to check the number, at the end of the receipt. */
  receiptMore?: (receipt: Receipt) => ReactNode;
  children?: ReactNode;
}

/** What the numbers rest on: the days and their zone, the age and version of the data, and the receipt. */
export function AnswerFoot({ answer, isLive, isStale = false, compared, excludesBots = false, isSampled = false, loadReceipt, receiptMore, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const { start, end } = answer.date_range;
  const words = t.report;
  const parts = [
    start && end ? `${start === end ? day(start) : dayRange({ start, end })}, ${answer.timezone}` : answer.timezone,
    compared?.start && compared.end ? t.range.comparedWith(dayRange({ start: compared.start, end: compared.end }), isLive) : null,
    excludesBots ? words.bots : null,
    words.cost(count(answer.rows_read), milliseconds(answer.elapsed_ms)),
  ].filter((part): part is string => Boolean(part));
  return (
    <footer className="figures flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-5 py-2 text-xs text-ink-faint">
      <AsOf answer={answer} isLive={isLive} />
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
      <span title={words.hints.version}>{words.version(answer.data_version)}</span>
      <span title={words.hints.semantics}>{words.semantics(String(answer.semantics_version))}</span>
      <Sample answer={answer} isSampled={isSampled} />
      {children}
      {isStale && <Spinner className="size-3.5" />}
      {loadReceipt && (
        <Button size="sm" variant="ghost" title={words.hints.receipt} className="-my-1 ml-auto h-6 px-2 text-xs" onClick={() => setOpen(true)}>
          <ReceiptText aria-hidden className="size-3.5" />
          {words.receipt}
        </Button>
      )}
      {loadReceipt && (
        <Sheet open={isOpen} onClose={() => setOpen(false)} title={words.receipt} className="w-[min(44rem,100vw)]">
          <Suspense fallback={<Spinner />}>
            <ReceiptView load={loadReceipt} timeZone={answer.timezone} dataVersion={answer.data_version} {...(receiptMore && { more: receiptMore })} />
          </Suspense>
        </Sheet>
      )}
    </footer>
  );
}

/** How old the numbers are; alone in cards too small for a whole foot. */
export function AsOf({ answer, isLive }: Pick<Props, "isLive"> & { answer: Pick<AnswerFrame, "as_of" | "timezone"> }) {
  const asOf = t.report.asOf(clock(answer.as_of, answer.timezone));
  return (
    <span className="inline-flex items-center gap-1.5">
      {isLive && <span aria-hidden className="size-1.5 rounded-full bg-positive" />}
      {isLive ? `${asOf}, ${t.report.live}` : asOf}
    </span>
  );
}

/** That the numbers are of a part of the events only, what that does to them, and how small the part is. */
function Sample({ answer, isSampled }: { answer: AnswerFrame; isSampled: boolean }) {
  const kind = answer.sampling ?? (isSampled ? "scaled" : null);
  if (kind === null) return null;
  const words = t.report.sample;
  const rate = answer.smallest_sample_rate;
  const kept = typeof rate === "number" ? `, ${words.kept(percent(100 * rate))}` : "";
  return (
    <span title={words.hints[kind]}>
      <Badge tone="warning">{`${words.kinds[kind]}${kept}`}</Badge>
    </span>
  );
}
