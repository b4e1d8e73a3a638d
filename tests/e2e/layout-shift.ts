/** Watches what moves by itself: how far pages jump while they load, and which elements did. */
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";

/** What a page may move in all, as Chromium counts it: the part of the window that moved times the part of the way. */
export const SHIFT_MAX = 0.02;
const WORST = 5;
const WATCH = fileURLToPath(new URL("../../frontend/scripts/page-watch.js", import.meta.url));

interface Shift {
  value: number;
  moved: string[];
}

interface Watched {
  pageWatch: { isBusy: () => boolean };
}

export interface PageShift {
  /** Of all shifts since the document was opened that no click and no key had caused. */
  total: number;
  /** The largest ones with the elements that moved, from where to where (x,y,width,height). */
  worst: string[];
}

/** Call it before the context's first page is opened. */
export async function watchShifts(context: BrowserContext): Promise<void> {
  await context.addInitScript({ path: WATCH });
}

/** Waits for the skeletons to go and for a frame after them, so that nothing is still about to move. */
export async function shiftOf(page: Page): Promise<PageShift> {
  await page.waitForFunction(() => !(globalThis as unknown as Watched).pageWatch.isBusy());
  await page.evaluate("document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))))");
  const shifts = (await page.evaluate("window.pageWatch.shifts")) as Shift[];
  return {
    total: shifts.reduce((sum, shift) => sum + shift.value, 0),
    worst: shifts
      .toSorted((one, other) => other.value - one.value)
      .slice(0, WORST)
      .map((shift) => `${shift.value.toFixed(4)}: ${shift.moved.join("; ")}`),
  };
}
