/** The figures of the overview: how each is written, and which way it is better. */
import { count, compactCount, duration, percent } from "@/lib/format";
import type { Figures } from "./queries";

interface Figure {
  text: (value: number, greatest?: number) => string;
  exact: (value: number) => string;
  isRate?: boolean;
  better: "up" | "down";
}

export const FIGURES = {
  people: { text: compactCount, exact: count, better: "up" },
  page_views: { text: compactCount, exact: count, better: "up" },
  sessions: { text: compactCount, exact: count, better: "up" },
  bounce_rate: { text: percent, exact: percent, isRate: true, better: "down" },
  average_seconds: { text: duration, exact: duration, better: "up" },
} as const satisfies Partial<Record<keyof Figures, Figure>>;

export type FigureName = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];
export const isFigure = (text: string | null): text is FigureName => text !== null && Object.hasOwn(FIGURES, text);

/** A bucket without sessions has no rate and no length: a gap, not a zero. */
export function valueOf(figures: Figures, name: FigureName): number | null {
  if ((name === "bounce_rate" || name === "average_seconds") && figures.sessions === 0) return null;
  return figures[name];
}
