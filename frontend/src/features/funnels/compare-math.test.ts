import type { ComparedPeriod, Significance, StepSignificance } from "@/api/types";
import { points } from "@/lib/format";
import { describe, expect, test } from "vitest";
import { clearestStep, conversionDelta, drawnBefore, rateChange, stepDelta } from "./compare-math";

/** Rates as they come: rounded to two decimals. */
const stages = (...people: number[]) =>
  people.map((users, at) => ({ stage_name: `s${at + 1}`, order: at + 1, users, users_max: users, conversion_rate: Math.round((10_000 * users) / (people[0] ?? 1)) / 100, drop_off_rate: 0 }));
const period = (people: number[], significance: Partial<Significance> | null = null) =>
  ({ stages: stages(...people), overall_conversion_rate: stages(...people).at(-1)?.conversion_rate ?? 0, significance }) as ComparedPeriod;

test.each([
  // Shown as 4.2% after 4.4%, and as 4.1% after 4.5%.
  [[10_000, 416], [10_000, 444], "−0.3 pt"],
  [[10_000, 414], [10_000, 446], "−0.3 pt"],
  // 0.065% after 0.0245%, which come as 0.07 and 0.02.
  [[20_000, 13], [200_000, 49], "±0 pt"],
])("the card and the table say the same of %j after %j", (now, before, said) => {
  const delta = conversionDelta({ stages: stages(...now) }, period(before));
  expect(delta?.text).toBe(said);
  expect(points(rateChange(stages(...now), stages(...before), 2) ?? 0)).toBe(said);
});

test("there is no change of the first stage, nor after days when nobody entered", () => {
  expect(rateChange(stages(10, 5), stages(10, 4), 1)).toBeNull();
  expect(rateChange(stages(10, 5), stages(0, 0), 2)).toBeNull();
  expect(conversionDelta({ stages: stages(10, 5) }, period([0, 0]))).toBeNull();
  expect(rateChange(stages(10, 5), stages(10, 0), 2)).toBe(50);
});

describe("the conversion is better or worse", () => {
  const better = (significance: Partial<Significance> | null, now = [100, 50]) => conversionDelta({ stages: stages(...now) }, period([100, 20], significance))?.isBetter;
  test("only where the difference is clear", () => {
    expect(better({ is_significant: true })).toBe(true);
    expect(better({ is_significant: true }, [100, 5])).toBe(false);
    expect(better({ is_significant: false })).toBeNull();
    expect(better({ is_significant: false, is_open: true })).toBeNull();
    expect(better(null)).toBeNull();
  });
  test("and the arrow says which way it went either way", () => expect(conversionDelta({ stages: stages(100, 50) }, period([100, 20]))?.direction).toBe("up"));
});

describe("the days compared with, beside the bars", () => {
  const days = { start: "2026-10-01", end: "2026-10-07" };
  const open = stages(400, 100, 10).map((stage) => ({ ...stage, users_max: stage.order === 3 ? 20 : stage.users }));
  test("are shares of those who entered then, however many these were, up to what they may become", () =>
    expect(drawnBefore(stages(40, 20, 4), { date_range: days, stages: open })).toEqual({
      days,
      stages: [
        { users: 400, share: 100, highest: 100 },
        { users: 100, share: 25, highest: 25 },
        { users: 10, share: 2.5, highest: 5 },
      ],
    }));
  test("are not drawn where nobody entered or nothing is compared", () => {
    expect(drawnBefore(stages(40, 20), { date_range: days, stages: stages(0, 0) })).toBeNull();
    expect(drawnBefore(stages(40, 20), null)).toBeNull();
  });
});

describe("a step beside that of the days before", () => {
  const step = (order: number, is_significant: boolean) => ({ from_order: order - 1, to_order: order, is_significant }) as StepSignificance;
  const compare = { stages: stages(1_000, 400, 200), step_significance: [step(2, true), step(3, false)] };
  const now = stages(100, 50, 20);
  test("is of the stage before, and good or bad only where it is more than chance", () => {
    expect(stepDelta(now, compare, 1)).toBeNull();
    expect(stepDelta(now, compare, 2)?.delta).toMatchObject({ text: "+10.0 pt", isBetter: true });
    expect(stepDelta(now, compare, 3)?.delta).toMatchObject({ text: "−10.0 pt", isBetter: null, direction: "down" });
    expect(stepDelta(now, { ...compare, step_significance: [step(3, true)] }, 3)?.delta.isBetter).toBe(false);
    expect(stepDelta(now, { ...compare, step_significance: null }, 3)).toMatchObject({ delta: { isBetter: null }, significance: null });
  });
  test("changed most clearly where p is smallest of those that are more than chance; of equals the larger change", () => {
    const found = (...steps: [number, boolean, number, number][]) =>
      clearestStep({ step_significance: steps.map(([order, isSure, p_value, difference]) => ({ ...step(order, isSure), p_value, difference })) })?.from_order ?? null;
    expect(found([2, true, 0.01, -30], [3, true, 0.0001, -13], [4, false, 0, 50])).toBe(2);
    expect(found([2, true, 0, 5], [3, true, 0, -13])).toBe(2);
    expect(found([2, false, 0.2, -13])).toBeNull();
    expect([clearestStep(null), clearestStep({ step_significance: null })]).toEqual([null, null]);
  });
  test("is not said where nobody was at the stage before", () => expect(stepDelta(stages(5, 0, 0), compare, 3)).toBeNull());
});
