/** The public methods, and the start of everything that runs by itself. */
import { release, whenAllowed } from './consent';
import { clearQueue, flush, schedule, send } from './delivery';
import { BuiltIn, emit, forgetContext, setGlobals, setHook, type Hook, type Properties } from './event';
import { guarded, refuse } from './guard';
import { ids, textOf, type Ids } from './identity';
import { click, submit } from './interactions';
import { choose, options, type Options } from './options';
import { Key, openStore, setFlag, write } from './store';
import { measureDepth, turn, view } from './views';
import { watchVitals } from './web-vitals';

/**
 * What a page can call. No method throws, whatever it is given; a call that cannot be honoured is dropped with a
 * console warning. Nothing happens at all for visitors with Do Not Track or Global Privacy Control (unless the page
 * ignores them) and after `optOut`.
 */
export interface Tracker {
  /** Starts tracking, for pages without `data-key`. A second call changes nothing and warns. */
  init(options: Options): void;
  /**
   * Records one event.
   * @param name 1 to 200 characters, for example `"Signup Started"`.
   * @param properties a JSON object; the whole event may have 30 KB, a larger one is dropped and counted.
   */
  track(name: string, properties?: Properties): void;
  /**
   * Records a `page_view` by hand; later events belong to it, and the engagement of the one before is closed.
   * @param name kept as the property `name`.
   */
  page(name?: string, properties?: Properties): void;
  /** Properties of every later event, until `reset`; `null` removes one. */
  set(properties: Properties): void;
  /** The last to see each event: returns it, changed or not, or `null` to drop it. A hook that throws loses the event. */
  before(hook: Hook): void;
  /** Sends what waits. Settles when the queue was tried, delivered or not; never rejects. */
  flush(): Promise<void>;
  /** Erases ids and waiting events and stays silent in this browser until `optIn`. */
  optOut(): void;
  optIn(): void;
  /** Calls `run` once the tracker runs and the visitor may be counted. */
  ready(run: (ids: Ids) => void): void;
  /**
   * Says who acts from now on, in this browser, until `reset`. Sends an `identify` event that joins the anonymous id
   * and the user; events made earlier keep the person they had. Refused in cookieless mode.
   * @param userId text or a number, at most 200 characters. Placeholders such as `""`, `null`, `"undefined"`,
   *   `"anonymous"`, `0` and the all-zero UUID are refused.
   * @param traits a JSON object about the person.
   */
  identify(userId: string | number, traits?: Properties): void;
  /** Sends a `group` event: the person belongs to this account, company or team. */
  group(groupId: string | number, traits?: Properties): void;
  /** Sends an `alias` event: both ids are one person; without `previousId` the anonymous id is meant. */
  alias(userId: string | number, previousId?: string | number): void;
  /** Sends what waits, then forgets user, anonymous id, session and global properties, for example at logout. */
  reset(): void;
  /** The visitor's answer: `true` lets waiting calls go; `false` erases queue, ids and storage, and keeps silent. */
  consent(isGiven: boolean): void;
}

const forget = (): void => {
  write(Key.Anonymous);
  write(Key.User);
  write(Key.Session);
  forgetContext();
};

/** Also where this page may not store anything. */
const erase = (): void => {
  if (WITH.rules) openStore(true);
  if (WITH.identity) forget();
  clearQueue();
};

/** What the tracker hears of by itself. The events of the document pass the window first, on their way down. */
const listeners = {
  click,
  submit,
  scroll: measureDepth,
  popstate: turn,
  pagehide: turn,
  pageshow: turn,
  visibilitychange: turn,
  ...(WITH.retry && { online: send }),
};

export const tracker = {
  init(chosen) {
    if (options.key) refuse();
    if (!(chosen.key ||= chosen.apiKey!)) return;
    if (WITH.rules) choose(chosen);
    else Object.assign(options, chosen);
    if (WITH.rules) openStore();
    if (WITH.vitals) guarded(watchVitals)();
    for (const type in listeners) addEventListener(type, guarded(listeners[type as 'scroll']), true);
    turn({});
    if (WITH.rules && options[404] != null) emit(BuiltIn.NotFound);
    if (WITH.retry) schedule();
    // Last, because a page may forbid it; all else is to be counted all the same.
    for (const method of ['pushState', 'replaceState'] as const) {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
      const original = history[method];
      history[method] = (...args) => {
        original.apply(history, args);
        turn({});
      };
    }
  },
  track(name, properties) {
    emit(textOf(name), properties);
  },
  page(name, properties) {
    view({ name, ...properties });
  },
  set: setGlobals,
  before: setHook,
  flush: (WITH.retry ? flush : send) as typeof flush,
  optOut() {
    erase();
    if (WITH.identity) write(Key.OptOut, '1');
    else setFlag('1');
  },
  optIn() {
    if (WITH.rules) openStore(true);
    if (WITH.identity) write(Key.OptOut);
    else setFlag('');
    if (WITH.rules) openStore();
  },
  ...(WITH.identity && {
    ready(use) {
      whenAllowed(() => { use(ids); });
    },
    identify(userId, traits) {
      emit(BuiltIn.Identify, traits, { u: textOf(userId) });
    },
    group(groupId, traits) {
      emit(BuiltIn.Group, { ...traits, group_id: textOf(groupId) });
    },
    alias(userId, previous_id) {
      emit(BuiltIn.Alias, { previous_id }, { u: textOf(userId) });
    },
    reset() {
      void flush();
      whenAllowed(forget);
    },
    consent(isGiven) {
      if ((options.consent = isGiven ? '' : 'off')) erase();
      else openStore();
      release();
    },
  } as Partial<Tracker>),
} as Tracker;
