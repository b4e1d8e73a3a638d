import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { HeatLegend } from "./heat-map";
import type { Cell, Matrix } from "./queries";

const cell = (n: number, percent: number, is_open = false): Cell => ({ n, people: percent, percent, is_open });
const matrix = (...cells: Cell[]): Matrix =>
  ({ people: 100, averages: [], cohorts: [{ bucket: "2026-11-02", from: "2026-11-02T00:00:00Z", size: 100, cells }] }) as unknown as Matrix;

test("says what the deepest colour is, of the periods after the first", () => {
  render(<HeatLegend matrix={matrix(cell(0, 60), cell(1, 15.8), cell(2, 3))} interval="day" />);
  expect(screen.getByText(/Colour: share of the cohort that came back/).parentElement).toHaveTextContent("0%15.8%, the highest after Day 0");
  expect(screen.queryByText(/Hatched/)).toBeNull();
});

test("says what hatched means where something is", () => {
  render(<HeatLegend matrix={matrix(cell(0, 60), cell(1, 15.8, true))} interval="week" />);
  expect(screen.getByText("Hatched: not over yet, may still rise")).toBeInTheDocument();
  expect(screen.getByText(/the highest after Week 0/)).toBeInTheDocument();
});

test("explains no colour where nobody came back", () => {
  render(<HeatLegend matrix={matrix(cell(0, 60), cell(1, 0, true))} interval="day" />);
  expect(screen.queryByText(/Colour/)).toBeNull();
});
