/** The file that a page loads: reads its own tag, puts `window.iafa` in place, replays the calls made before. */
import { guarded, runWhen, warn } from './guard';
import { startTracker, type Tracker } from './tracker';

const METHODS = ['track', 'page', 'identify', 'reset', 'flush', 'optOut', 'optIn'] as const;
const enum Held {
  CallsMax = 100,
}

/** A call as the stub keeps it: the method's name, then its arguments. */
export type Call = [method: keyof Tracker, ...args: unknown[]];

/** `window.iafa`: before the script has run, a page may make it as `{q: []}` and push calls; later `q.push` calls at once. */
export type Iafa = Partial<Tracker> & { q?: Call[] | { push(call: Call): unknown } };

declare global {
  interface Window {
    iafa?: Iafa;
  }
  interface Document {
    readonly prerendering?: boolean;
  }
}

function install(script: HTMLScriptElement): void {
  const iafa: Iafa = (window.iafa = window.iafa || {});
  const held = iafa.q || [];
  if (!('length' in held)) {
    warn('loaded twice');
    return;
  }
  let tracker: Tracker | undefined;

  const call = guarded(([method, ...args]: Call): unknown => {
    if (tracker) return (tracker[method] as (...args: unknown[]) => unknown)(...args);
    if (held.length < Held.CallsMax) held.push([method, ...args]);
    return Promise.resolve();
  });
  iafa.q = { push: call };
  for (const method of METHODS) iafa[method] = (...args: unknown[]) => call([method, ...args]) as Promise<void>;

  const { key, host = script.src && new URL(script.src).origin, ...options } = script.dataset;
  if (!key) {
    warn('no data-key');
    return;
  }
  // A prerendered page has no visitor until it is activated; calls made before are held.
  runWhen(!document.prerendering, 'prerenderingchange', () => {
    tracker = startTracker({ ...options, key, host: host.replace(/\/+$/, '') });
    held.forEach((entry) => call(entry));
  });
}

guarded(install)(document.currentScript as HTMLScriptElement);
