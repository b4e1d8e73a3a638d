/** When a page counts as viewed, how long it was in front of somebody, and how far down they came. */
import { release } from './consent';
import { isLeaving, send } from './delivery';
import { BuiltIn, emit } from './event';
import { guarded } from './guard';
import { options } from './options';
import { emitVitals } from './web-vitals';

let page: string | undefined;
let url: string | undefined;
let sinceMs = 0;
let depth: number;
/** Inside an application: the page that was left. */
export let referrer: string | undefined;

const current = (): string => location.pathname + (options.hash != null ? location.hash : '');

export const measureDepth = (): void => {
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
  if (page != (page = current())) referrer = url;
  url = location.href;
  depth = 0;
  sinceMs = Date.now();
  emit(BuiltIn.PageView, properties);
};

/** One place for all comings and goings, so that one request takes all that a page says when it goes. */
export const turn = guarded(({ type, persisted }: Partial<PageTransitionEvent>): void => {
  if (isLeaving(type == 'pagehide')) {
    closeEngagement();
    if (WITH.vitals) emitVitals();
    send();
    // A tab opened in the background counts when somebody sees it first. Inside an application each new path is a view.
  } else if (options.auto != 'off' && (persisted || (page != current() && (!page || options.spa != 'off')))) view();
  else if (page) sinceMs ||= Date.now();
  release();
});
