/** The public methods, and the start of everything that runs by itself. */
import { decide, release, whenAllowed } from './consent';
import { clearQueue, flush, schedule, sendAll } from './delivery';
import { BuiltIn, emit, forgetContext, setGlobals, setHook, type Hook, type Properties } from './event';
import { guarded, on, warn } from './guard';
import { isMeant, sessionId } from './identity';
import { watchInteractions } from './interactions';
import { options, setOptions, type Options } from './options';
import { Key, openStore, read, write } from './store';
import { view, watchViews } from './views';
import { watchVitals } from './web-vitals';

/** Both are empty before the first event, for visitors who are not counted, and in cookieless mode. */
export interface Ids {
  anonymousId: string;
  sessionId: string;
}

declare global {
  interface Document {
    readonly prerendering?: boolean;
  }
}

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
  if (WITH.identity) for (const key of [Key.Anonymous, Key.User, Key.Session]) write(key);
  forgetContext();
};

/** Also where this page may not store anything. */
const erase = (): void => {
  if (WITH.rules) openStore(true);
  forget();
  clearQueue();
};

/** Calls `use` with a name or an id that can be one. */
const withText = (value: unknown, use: (text: string) => void): void => {
  if (isMeant(value)) use(String(value));
  else warn('refused', value);
};

const start = (chosen: Options): void => {
  setOptions(chosen);
  openStore();
  if (WITH.vitals) guarded(watchVitals)();
  if (WITH.retry) on('online', sendAll);
  watchInteractions();
  // A page may forbid the hooks; its own calls are to be counted all the same.
  guarded(watchViews)();
  if (WITH.rules && options[404] != null) emit(BuiltIn.NotFound);
  release();
  if (WITH.retry) schedule();
};

const forEveryone: Omit<Tracker, 'identify' | 'group' | 'alias' | 'reset' | 'consent' | 'ready'> = {
  init(chosen) {
    if (options.key || !chosen.key) warn('refused', chosen);
    // A prerendered page has no visitor until it is activated; calls made before are held.
    else if (document.prerendering) on('prerenderingchange', () => { start(chosen); });
    else start(chosen);
  },
  track(name, properties) {
    withText(name, (n) => { emit(n, properties); });
  },
  page(name, properties) {
    view({ name, ...properties });
  },
  set: setGlobals,
  before: setHook,
  flush,
  optOut() {
    erase();
    write(Key.OptOut, '1');
  },
  optIn() {
    if (WITH.rules) openStore(true);
    write(Key.OptOut);
    if (WITH.rules) openStore();
  },
};

const forPeople: Omit<Tracker, keyof typeof forEveryone> = {
  ready(use) {
    whenAllowed(() => { use({ anonymousId: read(Key.Anonymous), sessionId: sessionId() }); });
  },
  identify(userId, traits) {
    withText(userId, (u) => { emit(BuiltIn.Identify, traits, { u }); });
  },
  group(groupId, traits) {
    withText(groupId, (group_id) => { emit(BuiltIn.Group, { ...traits, group_id }); });
  },
  alias(userId, previous_id) {
    withText(userId, (u) => { emit(BuiltIn.Alias, { previous_id }, { u }); });
  },
  reset() {
    void flush();
    whenAllowed(forget);
  },
  consent(isGiven) {
    decide(isGiven);
    if (isGiven) openStore();
    else erase();
    release();
  },
};

export const tracker = (WITH.identity ? { ...forEveryone, ...forPeople } : forEveryone) as Tracker;
