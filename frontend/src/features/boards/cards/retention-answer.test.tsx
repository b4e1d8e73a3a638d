import type { Answers } from "@/api/saved-types";
import { render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { RetentionAnswerCard } from "./retention-answer";

const cell = (n: number, people: number, is_open = false) => ({ n, people, percent: people, is_open });
const answer = (as_of: string) =>
  ({
    start: "signup",
    return: "buy",
    interval: "week",
    periods: 2,
    people: 100,
    as_of,
    cohorts: [{ bucket: "2026-11-02", from: "2026-11-02T00:00:00Z", to: "2026-11-09T00:00:00Z", size: 100, cells: [cell(0, 40), cell(1, 20, true), cell(2, 0, true)] }],
    averages: [
      { n: 0, cohorts: 1, size: 100, people: 40, percent: 40 },
      { n: 1, cohorts: 0, size: 0, people: 0, percent: 0 },
      { n: 2, cohorts: 0, size: 0, people: 0, percent: 0 },
    ],
  }) as unknown as Answers["retention"];

const rows = (): (string | null)[][] => screen.getAllByRole("row").slice(1).map((row) => within(row).getAllByRole("cell").map((one) => one.textContent));

test("of weeks that have not begun nothing is said, and the asterisk has its legend", () => {
  render(<RetentionAnswerCard answer={answer("2026-11-10T12:00:00Z")} />);
  expect(rows()).toEqual([
    ["40.0%", "", ""],
    ["40.0%", "20.0%*", ""],
  ]);
  expect(screen.getByText("* Not over yet: the number may still rise.")).toBeInTheDocument();
});

test("without an open week there is no asterisk to explain", () => {
  const whole = answer("2026-12-31T00:00:00Z");
  const closed = { ...whole, cohorts: whole.cohorts.map((one) => ({ ...one, cells: one.cells.map((each) => ({ ...each, is_open: false })) })) };
  render(<RetentionAnswerCard answer={closed} />);
  expect(screen.queryByText(/^\*/)).toBeNull();
});
