import { makeAnswer } from "@/test/service";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { FunnelAnswerCard } from "./funnel-answer";

const significance = { difference: 5, interval: [-2, 12], p_value: 0.2, is_significant: false, is_too_small: false, is_open: false };
const compare = { ...makeAnswer([100, 20], { date_range: { start: "2026-10-01", end: "2026-10-07" } }), significance };
const step = { count: 50, average_s: 300, median_s: 90, p90_s: 3_600 };
const times = { steps: [{ ...step, from_order: 1, to_order: 2 }], total: step, histogram: [] };

test("a card whose question has them shows the days before and the times", () => {
  render(<FunnelAnswerCard answer={makeAnswer([200, 50], { compare, times } as object)} />);
  const said = document.body.textContent ?? "";
  for (const part of ["25.0%50 of 200 converted", "+5.0 pt20.0% before", "may be chance", "median 1 min 30 s, 9 of 10 within 1 h", "median 1 min 30 s20.0% before25.0%50", "Line across: 1 – 7 Oct 2026"]) {
    expect(said.replaceAll("\u2009", " ")).toContain(part);
  }
  expect(screen.getAllByTestId("before").map((line) => line.style.left)).toEqual(["calc(100% - 1px)", "calc(20% - 1px)"]);
});

test("a card whose question has them not shows neither", () => {
  render(<FunnelAnswerCard answer={makeAnswer([200, 50])} />);
  expect(document.body).not.toHaveTextContent(/before|median|Line across/);
});
