/** How fast the page was for this visitor: LCP, INP, CLS, FCP, TTFB, told once, when the page is first hidden. */
import { BuiltIn, emit } from './event';

interface VitalEntry extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  interactionId: number;
}

const enum Shifts {
  GapMs = 1000,
  WindowMs = 5000,
}
const enum Interactions {
  ShortestMs = 16,
  // One in fifty may be slower than the value that is told.
  PerOutlier = 50,
}

let isTold = false;
const takers: (() => void)[] = [];
const vitals: Record<string, number> = {};
const interactions: Record<number, number> = {};

function observe(type: string, take: (entry: VitalEntry) => void, durationThreshold?: number): void {
  const takeAll = (entries: PerformanceEntryList) => { (entries as VitalEntry[]).forEach(take); };
  const observer = new PerformanceObserver((list) => { takeAll(list.getEntries()); });
  observer.observe({ type, buffered: true, durationThreshold } as PerformanceObserverInit);
  takers.push(() => { takeAll(observer.takeRecords()); });
}

/** A page that is loaded unseen has no speed that anybody felt. */
export function watchVitals(): void {
  isTold = document.hidden && !document.prerendering;
  const [navigation] = performance.getEntriesByType('navigation') as (PerformanceEntry & { activationStart?: number; responseStart: number })[];
  const startMs = navigation?.activationStart || 0;
  const since = (name: string, ms: number) => { vitals[name] = Math.max(0, Math.round(ms - startMs)); };
  let first = 0;
  let last = 0;
  let sum = 0;

  if (navigation) since('ttfb', navigation.responseStart);
  observe('largest-contentful-paint', ({ startTime }) => { since('lcp', startTime); });
  observe('paint', ({ name, startTime }) => {
    if (name.includes('first-c')) since('fcp', startTime);
  });
  // The worst run of shifts: less than a second apart, at most five seconds long.
  vitals.cls = 0;
  observe('layout-shift', ({ startTime, value, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (startTime - last > Shifts.GapMs || startTime - first > Shifts.WindowMs) {
      first = startTime;
      sum = 0;
    }
    last = startTime;
    sum += value;
    vitals.cls = Math.max(vitals.cls || 0, Math.round(sum * 1e4) / 1e4);
  });
  observe('event', ({ interactionId, duration }) => {
    if (interactionId) interactions[interactionId] = Math.max(interactions[interactionId] || 0, duration);
  }, Interactions.ShortestMs);
}

export function emitVitals(): void {
  if (isTold) return;
  isTold = true;
  takers.forEach((take) => { take(); });
  const durations = Object.values(interactions).sort((a, b) => b - a);
  const inp = durations[Math.floor(durations.length / Interactions.PerOutlier)];
  emit(BuiltIn.WebVitals, { ...vitals, inp });
}
