import type { LiveResult } from "@/api/live";
import { Badge } from "@/ui/badge";
import { Bot, Check, CircleX, Copy, Gauge, Scissors, type LucideIcon } from "lucide-react";
import { words } from "./words";

const LOOKS: Record<LiveResult, { icon: LucideIcon; tone: "positive" | "neutral" | "warning" | "danger" }> = {
  stored: { icon: Check, tone: "positive" },
  bot: { icon: Bot, tone: "neutral" },
  duplicate: { icon: Copy, tone: "neutral" },
  sampled_out: { icon: Scissors, tone: "neutral" },
  limited: { icon: Gauge, tone: "warning" },
  rejected: { icon: CircleX, tone: "danger" },
};

/** What became of an event, by colour, icon and word. */
export function OutcomeBadge({ outcome }: { outcome: LiveResult }) {
  const { icon: Icon, tone } = LOOKS[outcome];
  return (
    <Badge tone={tone} title={words.outcomeHelp[outcome]}>
      <Icon aria-hidden className="size-3" strokeWidth={2.5} />
      {words.outcomes[outcome]}
    </Badge>
  );
}
