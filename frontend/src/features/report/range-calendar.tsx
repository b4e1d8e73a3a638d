import type { Day, DayRange } from "@/lib/dates";
import { cn } from "@/lib/class-names";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { DayPicker } from "react-day-picker";

interface Props {
  range: DayRange;
  today: Day;
  onChange: (range: DayRange) => void;
}

/** The calendar works on local dates; only their year, month and day are ever read or set. */
const dateOf = (day: Day): Date => {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year ?? 1970, (month ?? 1) - 1, date ?? 1);
};
const dayOf = (date: Date): Day =>
  [String(date.getFullYear()).padStart(4, "0"), String(date.getMonth() + 1).padStart(2, "0"), String(date.getDate()).padStart(2, "0")].join("-");

const step = "grid size-8 place-items-center rounded-lg text-ink-soft hover:bg-hover disabled:opacity-40 aria-disabled:opacity-40";

/** The day that was just clicked has the pointer on it: the hover of a plain day would be grey under its light text. */
const end = "bg-accent-wash [&>button]:bg-accent [&>button]:text-on-accent [&>button]:hover:bg-accent-hover";

export default function RangeCalendar({ range, today, onChange }: Props) {
  return (
    <DayPicker
      mode="range"
      weekStartsOn={1}
      defaultMonth={dateOf(range.end)}
      today={dateOf(today)}
      selected={{ from: dateOf(range.start), to: dateOf(range.end) }}
      disabled={{ after: dateOf(today) }}
      onSelect={(next) => {
        if (next?.from) onChange({ start: dayOf(next.from), end: dayOf(next.to ?? next.from) });
      }}
      components={{
        Chevron: ({ orientation }) => (orientation === "left" ? <ChevronLeft aria-hidden className="size-4" /> : <ChevronRight aria-hidden className="size-4" />),
      }}
      classNames={{
        root: "relative",
        months: "relative",
        nav: "absolute top-0 right-0 flex gap-1",
        button_previous: step,
        button_next: step,
        month_caption: "flex h-8 items-center px-2 text-sm font-semibold",
        month_grid: "mt-2 border-collapse",
        weekday: "size-9 text-xs font-normal text-ink-faint",
        day: "p-0 text-center",
        day_button: cn("figures size-9 rounded-lg text-sm transition-colors hover:bg-hover disabled:text-ink-faint disabled:opacity-50"),
        today: "font-semibold text-accent-ink",
        range_middle: "bg-accent-wash text-accent-ink",
        range_start: cn("rounded-l-lg", end),
        range_end: cn("rounded-r-lg", end),
        outside: "opacity-40",
      }}
    />
  );
}
