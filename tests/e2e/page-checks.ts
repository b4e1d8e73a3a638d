/** What every page is held to: nothing that keeps people out, nothing wider than its window, by day, by night, on a phone. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Page } from "playwright-core";
import { SHIFT_MAX, shiftOf } from "./layout-shift";
import { patternOf } from "./pages";
import { photograph } from "./person";

const require = createRequire(fileURLToPath(new URL("../../frontend/package.json", import.meta.url)));
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };

/** The patterns of the pages that this file of tests has held to stand. */
export const stood = new Set<string>();

interface Violation {
  id: string;
  impact: string | null;
  nodes: { target: string[] }[];
}

/** Serious and critical findings of axe: of all its rules, or of those named. */
export async function seriousFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Through the debugger protocol: the security policy lets no script of a test into the page.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axeSource);
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as { violations: Violation[] };
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** Pixels by which the page is wider than its window, whose own width a phone adapts to the page. */
export async function overhang(page: Page): Promise<number> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  return width - (page.viewportSize()?.width ?? width);
}

/** Colours and places that are on their way have arrived. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    const endless = (animation: Animation): boolean => animation.effect?.getComputedTiming().iterations === Infinity;
    await Promise.allSettled(document.getAnimations().filter((one) => !endless(one)).map((one) => one.finished));
  });

/**
 * Holds the page that was just opened to it: while it loads nothing moves; in light, in dark, where only colours differ,
 * and in the width of a phone. It ends as it began, in light and wide.
 */
export async function expectToStand(page: Page, name: string): Promise<void> {
  const look = async (mode: string, rules?: readonly string[]): Promise<void> => {
    await settled(page);
    await photograph(page, `${name}-${mode}`);
    expect(await overhang(page), `${name} in ${mode}`).toBeLessThanOrEqual(0);
    expect(await seriousFaults(page, rules), `${name} in ${mode}`).toEqual([]);
  };
  await look("light");
  const { total, worst } = await shiftOf(page);
  expect(total, `${name} moves while it loads: ${worst.join("; ")}`).toBeLessThanOrEqual(SHIFT_MAX);
  await page.emulateMedia({ colorScheme: "dark" });
  await look("dark", ["color-contrast"]);
  expect(await page.evaluate(() => document.documentElement.classList.contains("dark")), `${name} follows the system into the dark`).toBe(true);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(PHONE);
  await look("phone");
  await page.setViewportSize(DESKTOP);
  stood.add(patternOf(new URL(page.url()).pathname));
}
