/** When a page counts as viewed: on load, on return from the back-forward cache, on a new path of an application. */
import { guarded, runWhen } from './guard';
import type { Options } from './options';

/** Calls `onView` at each view; inside an application with the URL that was left. */
export function watchPageViews(options: Options, onView: (leftUrl?: string) => void): void {
  if (options.auto === 'off') return;
  let path: string | undefined;
  let url: string;

  function count(leftUrl?: string): void {
    path = location.pathname;
    url = location.href;
    onView(leftUrl);
  }

  const countNewPath = guarded(() => {
    if (path && path !== location.pathname) count(url);
  });

  // A tab opened in the background counts when somebody sees it first.
  runWhen(!document.hidden, 'visibilitychange', count);
  addEventListener('pageshow', guarded((event) => {
    if (event.persisted) count();
  }));
  if (options.spa === 'off') return;
  addEventListener('popstate', countNewPath);
  for (const method of ['pushState', 'replaceState'] as const) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the page's own `this` below
    const original = history[method];
    history[method] = function (...args) {
      original.apply(this, args);
      countNewPath();
    };
  }
}
