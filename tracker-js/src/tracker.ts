/** The public methods, and the one place where an event is made. */
import { createDelivery } from './delivery';
import { guarded, warn } from './guard';
import { anonymousId, isUserId } from './identity';
import type { Options } from './options';
import { pageContext } from './page-context';
import { watchPageViews } from './page-view';
import { encodeEvent } from './payload';
import { isSilent } from './privacy';
import { randomId } from './random-id';
import { touchSession } from './session';
import { createStore, Key } from './store';
import { createPost } from './transport';

// One list with the server.
const enum BuiltIn {
  PageView = 'page_view',
  Identify = 'identify',
}

const enum Name {
  CharsMax = 200,
}
/** JSON: whatever `JSON.stringify` cannot hold is left out (functions, undefined) or refused (cycles, BigInt). */
export type Properties = Record<string, unknown>;

/**
 * What a page can call. No method throws, whatever it is given; a call that cannot be honoured is dropped with a
 * console warning. Nothing happens at all for visitors with Do Not Track or Global Privacy Control (unless the page
 * ignores them) and after `optOut`.
 */
export interface Tracker {
  /**
   * Records one event.
   * @param name 1 to 200 characters, for example `"Signup Started"`.
   * @param properties a JSON object; the whole event may have 30 KB, a larger one is dropped and counted.
   */
  track(name: string, properties?: Properties): void;
  /**
   * Records a `page_view` by hand; later events belong to it.
   * @param name kept as the property `name`.
   */
  page(name?: string, properties?: Properties): void;
  /**
   * Says who acts from now on, in this browser, until `reset`. Sends an `identify` event that joins the anonymous id
   * and the user; events made earlier keep the person they had.
   * @param userId text or a number, at most 200 characters. Placeholders such as `""`, `null`, `"undefined"`,
   *   `"anonymous"`, `0` and the all-zero UUID are refused.
   * @param traits a JSON object about the person.
   */
  identify(userId: string | number, traits?: Properties): void;
  /** Forgets user, anonymous id and session, for example at logout. Events made before it are still delivered. */
  reset: () => void;
  /** Sends what waits. Settles when the queue was tried, delivered or not; never rejects. */
  flush: () => Promise<void>;
  /** Erases ids and waiting events and stays silent in this browser until `optIn`. */
  optOut(): void;
  optIn(): void;
}

/** Starts tracking: makes the first page view, unless told otherwise, and sends it shortly after. */
export function startTracker(options: Options): Tracker {
  const store = createStore();
  const isQuiet = () => isSilent(options, store);
  const delivery = createDelivery(createPost(`${options.host}/e/${options.key}`), isQuiet);
  let { referrer } = document;
  let pageViewId: string | undefined;

  function emit(n: string, properties?: Properties): void {
    if (isQuiet()) return;
    const i = randomId();
    const t = Date.now();
    const s = touchSession(store, t);
    const u = store.read(Key.User) || undefined;
    const p = typeof properties === 'object' ? { ...properties } : undefined;
    const v = n === BuiltIn.PageView ? undefined : pageViewId;
    delivery.append(encodeEvent(anonymousId(store), { i, n, t, s, u, ...pageContext(referrer), p, v }));
    if (n === BuiltIn.PageView) pageViewId = i;
  }

  function reset(): void {
    for (const key of [Key.Anonymous, Key.User, Key.Session]) store.write(key, '');
    pageViewId = undefined;
  }

  // A page may forbid the hooks; its own calls are to be counted all the same.
  guarded(watchPageViews)(options, (leftUrl) => {
    referrer = leftUrl || referrer;
    emit(BuiltIn.PageView);
  });

  return {
    track(name, properties) {
      if (typeof name === 'string' && name && name.length <= Name.CharsMax) emit(name, properties);
      else warn('bad event name', name);
    },
    page(name, properties) {
      emit(BuiltIn.PageView, name ? { ...properties, name } : properties);
    },
    identify(id, traits) {
      if (isQuiet()) return;
      if (!isUserId(id)) {
        warn('bad user id', id);
        return;
      }
      store.write(Key.User, String(id));
      emit(BuiltIn.Identify, traits);
    },
    reset,
    flush: delivery.flush,
    optOut() {
      reset();
      store.write(Key.OptOut, '1');
      void delivery.flush();
    },
    optIn() {
      store.write(Key.OptOut, '');
    },
  };
}
