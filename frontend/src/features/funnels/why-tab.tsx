import type { Driver, Drivers } from "@/api/types";
import { count, exactPercent, percent, points } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { Button } from "@/ui/button";
import { NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Spinner } from "@/ui/spinner";
import { useQuery } from "@tanstack/react-query";
import { Info } from "lucide-react";
import { useMemo, useState } from "react";
import { eachFactorOnce, factorText, oddsText, placeOn, placeText, reach } from "./driver-math";
import type { StageRow } from "./funnel-math";
import { driversQuery, type DriverChoice, type Question } from "./report-queries";
import { w } from "./words";

const FEW = 12;

interface Props {
  question: Question;
  rows: readonly StageRow[];
  /** As the address says it. */
  choice: DriverChoice;
  /** Where it opens unless the address says a step; null leaves it to the service, which takes the biggest drop. */
  opensAt: number | null;
  dataVersion: string;
  onChoose: (choice: DriverChoice) => void;
  onGroup: (property: string) => void;
}

/** What goes with going on or stopping at one step: differences with their intervals, the insignificant ones greyed. */
export function WhyTab({ question, rows, choice, opensAt, dataVersion, onChoose, onGroup }: Props) {
  const stage = choice.stage ?? opensAt;
  const drivers = useQuery(driversQuery(question, { ...choice, stage }, dataVersion));
  const step = drivers.data?.step;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
        <NativeSelect
          aria-label={w.why.step}
          className="w-auto max-w-96 min-w-52"
          value={stage ?? step?.from_order ?? ""}
          onChange={(event) => onChoose({ ...choice, stage: Number(event.target.value) })}
        >
          {rows.slice(0, -1).map((row) => (
            <option key={row.order} value={row.order}>
              {w.why.between(row.stage_name, rows[row.order]?.stage_name ?? "")}
            </option>
          ))}
        </NativeSelect>
        <label className="inline-flex items-center gap-2 text-sm text-ink-soft">
          <input
            type="checkbox"
            className="size-4 accent-(--accent)"
            checked={choice.withOpen}
            onChange={(event) => onChoose({ ...choice, withOpen: event.target.checked })}
          />
          {w.why.withOpen}
        </label>
        {drivers.isFetching && <Spinner className="text-ink-faint" />}
      </div>
      {drivers.isError && !drivers.isPlaceholderData ? (
        <Failure error={drivers.error} onRetry={() => void drivers.refetch()} />
      ) : drivers.data ? (
        <div className={cn("transition-opacity duration-150", drivers.isPlaceholderData && "opacity-55")}>
          <DriverList answer={drivers.data} onGroup={onGroup} />
        </div>
      ) : (
        <div aria-busy="true" className="flex flex-col gap-3 px-5 pb-6">
          <p className="text-sm text-ink-faint">{w.why.working}</p>
          {[1, 2, 3, 4, 5, 6].map((one) => (
            <Skeleton key={one} className="h-11" />
          ))}
        </div>
      )}
    </>
  );
}

function DriverList({ answer, onGroup }: { answer: Drivers; onGroup: (property: string) => void }) {
  const [isAll, setAll] = useState(false);
  const { step } = answer;
  const drivers = useMemo(() => eachFactorOnce(answer.drivers), [answer.drivers]);
  const findings = drivers.filter((driver) => driver.is_significant).length;
  const shown = isAll ? drivers : drivers.slice(0, Math.max(findings, FEW));
  const scale = reach(shown);
  if (step.people === 0) return <p className="px-5 py-14 text-center text-ink-soft">{w.why.nobody(step.from_name)}</p>;
  return (
    <>
      <p dir="auto" className="stranger figures max-w-[80ch] px-5 text-base">
        {w.why.lead(count(step.people), step.from_name, count(step.converted), percent(step.conversion_rate), step.to_name)}{" "}
        {step.left_out_open > 0 && w.why.leftOut(count(step.left_out_open))}
        {step.open > 0 && w.why.someOpen(count(step.open))}
      </p>
      <p className="mx-5 mt-3 flex max-w-[90ch] items-start gap-2 rounded-lg bg-sunken px-3 py-2 text-sm text-ink-soft">
        <Info aria-hidden className="mt-0.5 size-4 shrink-0 text-ink-faint" />
        {w.why.correlation}
      </p>
      {drivers.length === 0 || answer.findings === 0 ? <p className="px-5 pt-5 text-base font-medium">{w.why.nothing(answer.factors_tested)}</p> : null}
      {drivers.length > 0 && (
        <>
          <div className="mt-4 hidden grid-cols-[minmax(0,18rem)_minmax(0,1fr)_9.5rem_4.5rem] gap-x-4 border-b border-line px-5 pb-1.5 text-xs text-ink-faint md:grid">
            <span>{w.why.heads.factor}</span>
            <span className="figures flex justify-between">
              <span>{w.why.heads.fewer(`−${scale}`)}</span>
              <span>{w.why.heads.more(`+${scale}`)}</span>
            </span>
            <span className="text-right">{w.why.heads.rates}</span>
            <span className="text-right">{w.why.heads.difference}</span>
          </div>
          <ul aria-label={w.why.list}>
            {shown.map((driver) => (
              <DriverLine
                key={`${driver.at} ${driver.kind} ${driver.name} ${driver.op} ${String(driver.value)}`}
                driver={driver}
                answer={answer}
                scale={scale}
                onGroup={onGroup}
              />
            ))}
          </ul>
        </>
      )}
      <div className="flex flex-wrap items-center justify-between gap-3 px-5 py-3 text-sm text-ink-faint">
        <p className="figures">
          {w.why.tested(answer.findings, answer.factors_tested, answer.factors_too_small + answer.factors_left_out)}
          {drivers.length < answer.drivers.length && ` ${w.why.once}`}
        </p>
        {drivers.length > shown.length && (
          <Button size="sm" onClick={() => setAll(true)}>
            {w.why.all(drivers.length - shown.length)}
          </Button>
        )}
      </div>
    </>
  );
}

interface LineProps {
  driver: Driver;
  answer: Drivers;
  scale: number;
  onGroup: (property: string) => void;
}

function DriverLine({ driver, answer, scale, onGroup }: LineProps) {
  const odds = driver.is_significant ? oddsText(driver) : null;
  const property = typeof driver.filter?.property === "string" ? driver.filter.property : null;
  const [low, high] = driver.interval;
  return (
    <li
      className={cn(
        "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 border-b border-line px-5 py-2.5 md:grid-cols-[minmax(0,18rem)_minmax(0,1fr)_9.5rem_4.5rem]",
        !driver.is_significant && "text-ink-faint",
      )}
    >
      <div className="min-w-0">
        <p dir="auto" className={cn("stranger line-clamp-2 text-sm", driver.is_significant && "font-medium")}>
          {property === null ? (
            factorText(driver)
          ) : (
            <button type="button" title={w.why.group} className="text-left underline decoration-line-strong/60 underline-offset-3 hover:decoration-current" onClick={() => onGroup(property)}>
              {factorText(driver)}
            </button>
          )}
        </p>
        <p dir="auto" className="stranger text-xs text-ink-faint">
          {placeText(driver, answer)}
        </p>
      </div>
      <div className="order-last col-span-2 md:order-none md:col-span-1">
        <Interval low={low ?? 0} high={high ?? 0} at={driver.difference} scale={scale} isFound={driver.is_significant} />
        {odds && <p className="figures text-xs text-ink-soft">{odds}</p>}
      </div>
      <p className="figures hidden text-right text-sm md:block" title={w.why.peopleOf(count(driver.with_it.people), count(driver.without.people))}>
        {w.why.rates(percent(driver.with_it.conversion_rate), percent(driver.without.conversion_rate))}
      </p>
      <p
        className={cn("figures text-right text-sm", driver.is_significant && (driver.difference > 0 ? "font-medium text-positive" : "font-medium text-danger"))}
        title={`${exactPercent(driver.with_it.conversion_rate)}, ${exactPercent(driver.without.conversion_rate)}`}
      >
        {points(driver.difference)}
        {!driver.is_significant && <span className="sr-only">{w.why.insignificant}</span>}
      </p>
    </li>
  );
}

/** A dot with its 95 % interval; hollow when it may be chance, so that it does not hang on colour. */
function Interval({ low, high, at, scale, isFound }: { low: number; high: number; at: number; scale: number; isFound: boolean }) {
  const [from, to, dot] = [placeOn(low, scale), placeOn(high, scale), placeOn(at, scale)];
  const tone = !isFound ? "text-line-strong" : at > 0 ? "text-positive" : "text-danger";
  return (
    <div role="img" aria-label={w.why.interval(points(at), points(low), points(high))} className={cn("relative h-5", tone)}>
      <span className="absolute inset-x-0 top-1/2 h-px bg-line" />
      <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong/60" />
      <span className="absolute top-1/2 h-0.5 -translate-y-1/2 rounded-full bg-current" style={{ left: `${from}%`, width: `${Math.max(0.4, to - from)}%` }} />
      <span
        className={cn(
          "absolute top-1/2 size-2.5 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-current",
          isFound ? "bg-current" : "bg-surface",
        )}
        style={{ left: `${dot}%` }}
      />
    </div>
  );
}
