/** The one place where an event is made: what happened and where first, who did it once that may be known. */
import { isCookieless, whenAllowed } from './consent';
import { append } from './delivery';
import { warn } from './guard';
import { anonymousId, randomId, touchSession } from './identity';
import { options } from './options';
import { refusal, sampleRate, type Reason } from './refusal';
import { Key, read, write } from './store';
import { referrer } from './views';

// One list with the server.
export const enum BuiltIn {
  PageView = 'page_view',
  Engagement = 'engagement',
  OutboundClick = 'outbound_click',
  FileDownload = 'file_download',
  FormSubmit = 'form_submit',
  WebVitals = 'web_vitals',
  NotFound = 'not_found',
  Identify = 'identify',
  Group = 'group',
  Alias = 'alias',
}

/** JSON: whatever `JSON.stringify` cannot hold is left out (functions, undefined) or refused (cycles, BigInt). */
export type Properties = Record<string, unknown>;

/** One event under its wire names; an absent member is unknown. */
export interface WireEvent {
  /** anonymous id */ a?: string;
  /** event id */ i?: string;
  /** event name */ n: string;
  /** time of the event, ms since 1970 */ t: number;
  /** session id */ s?: string;
  /** user id */ u?: string | undefined;
  /** properties or traits */ p: Properties;
  /** id of the page view it belongs to */ v?: string | undefined;
  /** the share of people that is counted */ x?: number;
  /** URL */ l: string;
  /** referrer */ r: string | undefined;
  /** title */ c: string | undefined;
  /** screen, "1280x720" */ w: string;
  /** language */ g: string;
  /** IANA time zone */ z: string;
}

/** Sees each event last: returns it, changed or not, or `null` to drop it. */
export type Hook = (event: WireEvent) => WireEvent | null | undefined;

let hook: Hook | undefined;
let globals: Properties = {};
let pageViewId: string | undefined;

export const setHook = (before: Hook): void => {
  hook = before;
};

/** `null` removes a property. */
export const setGlobals = (properties: Properties): void => {
  globals = { ...globals, ...properties };
};

/** For another person on the same page. */
export const forgetContext = (): void => {
  globals = {};
  pageViewId = undefined;
};

/** Makes an event of what is known now; `known` overrides what the page would say. */
export const emit = (n: string, properties?: unknown, known?: Partial<WireEvent>): void => {
  const event: WireEvent = {
    n,
    t: Date.now(),
    l: location.href,
    r: referrer || document.referrer || undefined,
    c: document.title || undefined,
    // The screen, not the window: reading the window's size makes the browser compute the layout.
    w: `${screen.width}x${screen.height}`,
    g: navigator.language,
    z: Intl.DateTimeFormat().resolvedOptions().timeZone,
    p: { ...(WITH.rules && { tag: options.tag }), ...globals, ...(typeof properties === 'object' && properties) },
    ...known,
  };
  whenAllowed(() => {
    const reason = refusal() || (WITH.rules && event.u && isCookieless() && 'cookieless') || complete(event);
    if (WITH.debug && location.search.includes('iafa_debug=1')) warn(reason || 'queued', event);
  });
};

/** Adds the ids and queues the event; says what became of it. */
const complete = (event: WireEvent): Reason => {
  event.i = randomId();
  if (WITH.identity && !isCookieless()) {
    if (event.n === BuiltIn.Identify) write(Key.User, event.u);
    event.a = anonymousId();
    event.s = touchSession(event.t);
    event.u ||= read(Key.User) || undefined;
  }
  if (event.n === BuiltIn.PageView) pageViewId = event.i;
  else event.v = pageViewId;
  if (WITH.rules) event.x = sampleRate();
  const sent = hook ? hook(event) : event;
  return sent ? append(JSON.stringify(sent)) : WITH.debug && 'hook';
};
