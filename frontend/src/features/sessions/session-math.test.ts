import { expect, test } from "vitest";
import type { Figures } from "./queries";
import { FIGURES, FIGURE_NAMES, isFigure, lengthOf, valueOf } from "./session-math";

const figures = (over: Partial<Figures> = {}): Figures => ({
  sessions: 4, people: 3, events: 10, page_views: 8, bounces: 1, bounce_rate: 25, average_seconds: 90, median_seconds: 60, events_per_session: 2.5, views_per_session: 2, ...over,
});

test("each figure is written in its own way", () => {
  const shown = FIGURE_NAMES.map((name) => FIGURES[name].text(valueOf(figures(), name) ?? NaN));
  expect(shown).toEqual(["4", "3", "1 min 30 s", "2", "25.0%"]);
});

test("without sessions there are counts of nothing, and no rate and no length", () => {
  const none = figures({ sessions: 0, people: 0, bounce_rate: 0, average_seconds: null, views_per_session: null });
  expect(FIGURE_NAMES.map((name) => valueOf(none, name))).toEqual([0, 0, null, null, null]);
});

test("lengths are told in seconds or more", () => expect([0, 0.4, 1.2, 80].map(lengthOf)).toEqual(["0 s", "0 s", "1 s", "1 min 20 s"]));

test("a figure of the address is one of ours", () => {
  expect([isFigure("bounce_rate"), isFigure("toString"), isFigure(null)]).toEqual([true, false, false]);
});
