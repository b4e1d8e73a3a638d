/** The file that a page loads: reads its own tag, puts `window.iafa` in place, replays the calls made before. */
import { guarded, warn } from './guard';
import { sessionId } from './identity';
import type { Options } from './options';
import { Key, read } from './store';
import { tracker, type Tracker } from './tracker';

/** A call as the stub keeps it: the method's name, then its arguments. */
export type Call = [method: keyof Tracker, ...args: unknown[]];

/** `window.iafa`: before the script has run, a page may make it as `{q: []}` and push calls; later `q.push` calls at once. */
export type Iafa = Partial<Tracker> & {
  q?: Call[] | { push(call: Call): unknown };
  /** The user, else the anonymous id; empty if there is neither. */
  readonly userId?: string;
  readonly sessionId?: string;
};

declare global {
  interface Window {
    iafa?: Iafa;
    _iafa?: Iafa;
  }
}

const install = (): void => {
  if (window._iafa) {
    warn('loaded twice');
    return;
  }
  const stub = window.iafa || {};
  const held = (stub.q || []) as Call[];
  const iafa: Iafa = WITH.identity
    ? {
        get userId() {
          return read(Key.User) || read(Key.Anonymous);
        },
        get sessionId() {
          return sessionId();
        },
      }
    : {};
  window.iafa = window._iafa = iafa;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the methods use no `this`
  for (const name in tracker) iafa[name as 'optIn'] = guarded(tracker[name as 'optIn']);
  const push = guarded(([method, ...args]: Call): unknown => (iafa[method] as (...args: unknown[]) => unknown)(...args));
  iafa.q = stub.q = { push };

  const { src, dataset } = document.currentScript as HTMLScriptElement;
  // eslint-disable-next-line @typescript-eslint/no-misused-spread -- its members are what is wanted
  const chosen = { host: new URL(src).origin, ...BAKED, ...dataset } as unknown as Options & { apiKey: string };
  chosen.key ||= chosen.apiKey;
  if (chosen.key) tracker.init(chosen);
  held.forEach((call) => push(call));
};

guarded(install)();
