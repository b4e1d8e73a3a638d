/** When a page counts as viewed, how long it was in front of somebody, and how far down they came. */
import { isLeaving, sendOrKeep } from './delivery';
import { BuiltIn, emit } from './event';
import { on } from './guard';
import { options } from './options';
import { emitVitals } from './web-vitals';

let page: string | undefined;
let url: string | undefined;
let sinceMs = 0;
let depth: number;
/** Inside an application: the page that was left. */
export let referrer: string | undefined;

const current = (): string => location.pathname + (options.hash != null ? location.hash : '');

const measureDepth = (): void => {
  depth = Math.max(depth, ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100 | 0);
};

/** Tells what has passed since the view began or the page was seen again. */
const closeEngagement = (): void => {
  if (!sinceMs) return;
  measureDepth();
  emit(BuiltIn.Engagement, { engaged_ms: Date.now() - sinceMs, scroll_percent: depth }, { l: url! });
  sinceMs = 0;
};

export const view = (properties?: unknown): void => {
  closeEngagement();
  page = current();
  url = location.href;
  depth = 0;
  sinceMs = Date.now();
  emit(BuiltIn.PageView, properties);
};

/** One place for all comings and goings, so that one request takes all that a page says when it goes. */
const turn = ({ type, persisted }: Partial<PageTransitionEvent>): void => {
  if (isLeaving(type === 'pagehide')) {
    closeEngagement();
    if (WITH.vitals) emitVitals();
    sendOrKeep();
    // A tab opened in the background counts when somebody sees it first.
  } else if (options.auto !== 'off' && (!page || persisted)) view();
  else if (page) sinceMs ||= Date.now();
};

/** Inside an application each new path is a view. */
const turnPage = (): void => {
  if (!page || page === current()) return;
  referrer = url;
  view();
};

export const watchViews = (): void => {
  for (const type of ['pagehide', 'pageshow', 'visibilitychange']) on(type, turn);
  on('scroll', measureDepth);
  turn({});
  if (options.auto === 'off' || options.spa === 'off') return;
  on('popstate', turnPage);
  for (const method of ['pushState', 'replaceState'] as const) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the page's own `this` below
    const original = history[method];
    history[method] = (...args) => {
      original.apply(history, args);
      turnPage();
    };
  }
};
