import { daysIn, type Day, type DayRange } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { SheetOrPopover } from "@/ui/popover";
import { Skeleton } from "@/ui/skeleton";
import { CalendarDays, Check, ChevronDown } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { daysOf, PRESETS, type RangeChoice } from "./range-state";

const RangeCalendar = lazy(() => import("./range-calendar"));

interface Props {
  choice: RangeChoice;
  today: Day;
  timeZone: string;
  onChange: (choice: RangeChoice) => void;
}

export function RangePicker({ choice, today, timeZone, onChange }: Props) {
  const [isOpen, setOpen] = useState(false);
  const pick = (next: RangeChoice): void => {
    onChange(next);
    setOpen(false);
  };
  const label = choice.preset === "custom" ? dayRange(choice.range) : t.range.presets[choice.preset];
  return (
    <SheetOrPopover
      open={isOpen}
      onOpenChange={setOpen}
      label={t.range.label}
      align="end"
      className="max-h-[min(36rem,85vh)] max-w-[calc(100vw-1rem)] overflow-y-auto p-0"
      trigger={
        <Button aria-label={`${t.range.label}: ${label}`}>
          <CalendarDays aria-hidden className="size-4 text-ink-faint" />
          <span className="figures">{label}</span>
          <ChevronDown aria-hidden className="size-3.5 text-ink-faint" />
        </Button>
      }
    >
      <div className="flex flex-col sm:flex-row">
        <ul className="grid shrink-0 grid-cols-2 gap-0.5 border-b border-line p-2 sm:flex sm:w-44 sm:flex-col sm:border-r sm:border-b-0">
          {PRESETS.map((preset) => (
            <li key={preset}>
              <button
                type="button"
                aria-pressed={choice.preset === preset}
                onClick={() => pick({ preset })}
                className={cn(
                  "flex w-full items-center justify-between rounded-lg px-2.5 py-1.5 text-left text-sm hover:bg-hover",
                  choice.preset === preset && "font-medium text-accent-ink",
                )}
              >
                {t.range.presets[preset]}
                {choice.preset === preset && <Check aria-hidden className="size-4" />}
              </button>
            </li>
          ))}
          <li className="mt-auto self-center px-2.5 sm:self-auto pt-2 pb-1 text-xs text-ink-faint">{t.range.zone(timeZone)}</li>
        </ul>
        <CustomRange start={daysOf(choice, today) ?? { start: today, end: today }} today={today} onApply={(range) => pick({ preset: "custom", range })} />
      </div>
    </SheetOrPopover>
  );
}

interface CustomProps {
  start: DayRange;
  today: Day;
  onApply: (range: DayRange) => void;
}

/** Two days of a calendar, and a button to take them. */
export function CustomRange({ start, today, onApply }: CustomProps) {
  const [range, setRange] = useState(start);
  const isValid = range.start <= range.end;
  return (
    <div className="flex flex-col items-center p-3 pb-0 sm:block">
      <Suspense fallback={<Skeleton className="h-74 w-70 rounded-lg" />}>
        <RangeCalendar range={range} today={today} onChange={setRange} />
      </Suspense>
      <div className="sticky bottom-0 mt-2 flex w-full items-center justify-between gap-3 border-t border-line bg-surface py-3">
        <p className="figures text-sm text-ink-soft" aria-live="polite">
          {isValid ? dayRange(range) : t.range.invalid}
        </p>
        <Button size="sm" variant="primary" disabled={!isValid || daysIn(range) < 1} onClick={() => onApply(range)}>
          {t.range.apply}
        </Button>
      </div>
    </div>
  );
}

