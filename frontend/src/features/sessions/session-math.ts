/** The figures of the sessions report. */
import { compactCount, count, duration, percent } from "@/lib/format";
import type { Figures } from "./queries";
import { words } from "./words";

export type FigureName = keyof typeof words.figures;
export type ListName = keyof typeof words.tabs;

interface Figure {
  text: (value: number) => string;
  isRate?: boolean;
  better: "up" | "down" | null;
}

const decimal = (value: number): string => count(Math.round(value * 10) / 10);

/** A session of one event has no length; milliseconds say nothing of a visit. */
export const lengthOf = (seconds: number): string => duration(seconds < 1 ? 0 : seconds).replace(/^0 ms$/, "0 s");

export const FIGURES: Record<FigureName, Figure> = {
  sessions: { text: compactCount, better: "up" },
  people: { text: compactCount, better: "up" },
  average_seconds: { text: lengthOf, better: "up" },
  views_per_session: { text: decimal, better: "up" },
  bounce_rate: { text: percent, isRate: true, better: "down" },
};
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];
export const isFigure = (text: string | null): text is FigureName => text !== null && Object.hasOwn(FIGURES, text);

/** Without sessions there is no rate and no length: a gap, not a zero. */
export function valueOf(figures: Figures, name: FigureName): number | null {
  const isAboutEach = name !== "sessions" && name !== "people";
  return isAboutEach && figures.sessions === 0 ? null : figures[name];
}

export const LISTS: Record<keyof typeof words.lists, readonly ListName[]> = {
  pages: ["entry_page", "exit_page"],
  sources: ["channel", "referrer", "utm_source", "utm_medium", "utm_campaign"],
  places: ["country", "device", "browser", "os"],
};
