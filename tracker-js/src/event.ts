/** The one place where an event is made: what happened and where first, who did it once that may be known. */
import { held, Held, isCookieless, isWaiting, whenAllowed } from './consent';
import { append } from './delivery';
import { anonymousId, randomId, session } from './identity';
import { options } from './options';
import { refusal } from './refusal';
import { Key, read, write } from './store';
import { referrer } from './views';

const enum Session {
  // More than 60 minutes without an event begin a new one.
  GapMs = 3_600_000,
}

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
  /** referrer */ r: string;
  /** title */ c: string;
  /** screen, "1280x720" */ w: string;
  /** language */ g: string;
  /** IANA time zone */ z: string;
}

/** Sees each event last: returns it, changed or not, or `null` to drop it. */
export type Hook = (event: WireEvent) => WireEvent | null | undefined;

let hook: Hook = (event) => event;
let globals: Properties = {};
let pageViewId: string | undefined;
const pageDraw = WITH.rules ? String(Math.random()) : '';

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
export const emit = (n?: string | false, properties?: unknown, known?: Partial<WireEvent>): void => {
  if (!n) return;
  const event: WireEvent = {
    n,
    t: Date.now(),
    l: location.href,
    r: referrer || document.referrer,
    c: document.title,
    // The screen, not the window: reading the window's size makes the browser compute the layout.
    // eslint-disable-next-line @typescript-eslint/restrict-plus-operands -- a template is longer
    w: screen.width + 'x' + screen.height,
    g: navigator.language,
    z: Intl.DateTimeFormat().resolvedOptions().timeZone,
    p: { ...(WITH.rules && { tag: options.tag }), ...globals, ...(Object(properties) === properties && (properties as Properties)) },
    ...known,
  };
  const complete = (): void => {
    let reason = refusal();
    if (WITH.rules)
      reason ||=
        (isCookieless() ? event.u && 'cookieless' : ((event.a = anonymousId()), 0)) ||
        // A person is in or out as a whole. Random ids need no hash: the last digits say who is in.
        ((event.x = +(options.sample ?? 1)) <= (('.' + (event.a || pageDraw).slice(-6)) as never) && 'sample');
    if (!reason) {
      event.i = randomId();
      if (WITH.identity && event.a) {
        const [lastMs, stored] = session();
        if (n == BuiltIn.Identify) write(Key.User, event.u);
        event.u ||= read(Key.User);
        // A hint for the server, which derives sessions from the events itself.
        event.s = (event.t - (lastMs as never) <= Session.GapMs && stored) || randomId();
        write(Key.Session, `${event.t}.${event.s}`);
      }
      if (n == BuiltIn.PageView) pageViewId = event.i;
      else event.v = pageViewId;
      const sent = hook(event);
      if (WITH.debug) reason = sent ? append(JSON.stringify(sent)) : 'before';
      else if (sent) append(JSON.stringify(sent));
    }
    if (WITH.debug && /iafa_debug=1/.test(location as never)) console.warn('iafa', reason || 'queued', event);
  };
  if (WITH.identity) whenAllowed(complete);
  else if (!isWaiting()) complete();
  else if (!held[Held.Last]) held.push(complete);
};
