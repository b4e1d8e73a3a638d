/** The file that a page loads: reads its own tag, puts `window.iafa` in place, replays the calls made before. */
import { guarded, refuse } from './guard';
import { ids, type Ids } from './identity';
import type { Options } from './options';
import { tracker, type Tracker } from './tracker';

/** A call as the stub keeps it: the method's name, then its arguments. */
export type Call = [method: keyof Tracker, ...args: unknown[]];

/** `window.iafa`: before the script has run, a page may make it as `{q: []}` and push calls; later `q.push` calls at once. */
export type Iafa = Partial<Tracker & Ids> & {
  q?: Call[] | { push(call: Call): unknown };
};

declare global {
  interface Window {
    iafa?: Iafa;
    _iafa?: Iafa;
  }
}

guarded(() => {
  if (window._iafa) refuse();
  const held = (window.iafa?.q || []) as Call[];
  const iafa = (WITH.identity ? ids : tracker) as Iafa;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the methods use no `this`
  for (const name in tracker) iafa[name as 'optIn'] = guarded(tracker[name as 'optIn']);
  // The same list, for code that kept a reference to it.
  held.push = guarded(([method, ...args]: Call) => (iafa[method] as (...args: unknown[]) => unknown)(...args)) as typeof held.push;
  iafa.q = held;
  window.iafa = window._iafa = iafa;
  const { src, dataset } = document.currentScript as HTMLScriptElement;
  // eslint-disable-next-line @typescript-eslint/no-misused-spread -- its members are what is wanted
  iafa.init!({ host: new URL(src).origin, ...BAKED, ...dataset } as unknown as Options);
  held.forEach(held.push as (call: Call) => unknown);
})();
