import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import TimePlot from "./time-plot";

const PLACES = ["Mon", "Tue", "Wed"].map((label) => ({ label, title: label }));

const ticksOf = (container: Element) => [...container.querySelectorAll(".recharts-yAxis-tick-labels text")].map((one) => one.textContent);

test.each([
  [[0, 1, 0], ["0", "1"]],
  [[2, 0, 1], ["0", "1", "2"]],
  [[0.5, 1, 0], ["0", "0.25", "0.5", "0.75", "1"]],
])("the axis of %j has the ticks %j", (values, ticks) => {
  const { container } = render(
    <TimePlot width={600} height={280} places={PLACES} series={[{ key: "a", name: "a", values, color: 0 }]} format={String} axisFormat={String} kind="line" notes={[]} />,
  );
  expect(ticksOf(container)).toEqual(ticks);
});

test.each([
  [[280_000, 1], ["0", "70K", "140K", "210K", "280K"]],
  [[80_000, 1], ["0", "20,000", "40,000", "60,000", "80,000"]],
])("the ticks of %j have one form", (values, ticks) => {
  const { container } = render(<TimePlot width={600} height={280} places={PLACES} series={[{ key: "a", name: "a", values, color: 0 }]} format={String} kind="line" notes={[]} />);
  expect(ticksOf(container)).toEqual(ticks);
});
