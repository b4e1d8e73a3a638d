import type { Day, DayRange } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { SheetOrPopover } from "@/ui/popover";
import { Check, ChevronDown, GitCompareArrows } from "lucide-react";
import { useState } from "react";
import { CustomRange } from "./range-picker";
import { comparedDays, type CompareChoice, type RangeChoice } from "./range-state";

const CHOICES = [
  { with: "none", label: t.range.compareNone },
  { with: "previous", label: t.range.comparePrevious },
  { with: "year", label: t.range.compareYear },
] as const;

interface Props {
  choice: CompareChoice;
  range: DayRange | null;
  /** What the range was chosen by. */
  preset: RangeChoice["preset"];
  today: Day;
  onChange: (choice: CompareChoice) => void;
}

/** What the numbers are compared with; of all data there is no period before. */
export function ComparePicker({ choice, range, preset, today, onChange }: Props) {
  const [isCustom, setCustom] = useState(false);
  const compared = comparedDays(choice, range, preset);
  const known = CHOICES.find((one) => one.with === choice.with);
  const label = choice.with === "custom" ? dayRange(choice.range) : (known?.label ?? "");
  const button = (
    <Button aria-label={`${t.range.compare}: ${label}`} title={compared ? dayRange(compared) : undefined} disabled={range === null}>
      <GitCompareArrows aria-hidden className="size-4 text-ink-faint" />
      <span className="figures">{range === null ? t.range.compareNone : label}</span>
      <ChevronDown aria-hidden className="size-3.5 text-ink-faint" />
    </Button>
  );
  if (isCustom) {
    return (
      <SheetOrPopover open onOpenChange={setCustom} label={t.range.compare} align="end" className="p-0" trigger={button}>
        <CustomRange
          start={compared ?? { start: today, end: today }}
          today={today}
          onApply={(days) => {
            onChange({ with: "custom", range: days });
            setCustom(false);
          }}
        />
      </SheetOrPopover>
    );
  }
  return (
    <Menu trigger={button}>
      <MenuLabel>{t.range.compare}</MenuLabel>
      {CHOICES.map((one) => (
        <MenuItem key={one.with} onSelect={() => onChange({ with: one.with })}>
          <span className="flex-1">{one.label}</span>
          {choice.with === one.with && <Check aria-hidden />}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => setCustom(true)}>
        <span className="flex-1">{t.range.compareCustom}</span>
        {choice.with === "custom" && <Check aria-hidden />}
      </MenuItem>
    </Menu>
  );
}
