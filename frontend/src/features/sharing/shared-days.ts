/** Which days a share link shows, in words. */
import type { ViewRange } from "@/api/saved-types";
import { choiceOfRange } from "@/features/boards/ranges";
import { daysOf } from "@/features/report/range-state";
import type { Day, DayRange } from "@/lib/dates";
import { dayRange } from "@/lib/format";
import { t } from "@/lib/strings";

interface Ranged {
  kind: string;
  range: ViewRange | null;
}

export const daysText = (days: DayRange | null): string => (days === null ? t.range.presets.all : dayRange(days));

/** "Last 7 days: 15 – 21 Nov 2026"; what moves on with time says so. */
function rangeText(range: ViewRange, today: Day): string {
  const choice = choiceOfRange(range, today);
  const days = daysOf(choice, today);
  if (choice.preset === "custom" || days === null) return daysText(days);
  return `${t.range.presets[choice.preset]}: ${dayRange(days)}`;
}

/** The days that all cards show; null when each has its own, or has days that only its question knows. */
export function daysOfAll(cards: readonly Ranged[], chosen: DayRange | null, today: Day): string | null {
  if (chosen !== null) return dayRange(chosen);
  const [first, ...others] = cards.filter((card) => card.kind !== "note").map((card) => card.range);
  if (!first || others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) return null;
  return rangeText(first, today);
}
