/** Whether this visitor and this page are counted, and if not, why. Asked before an id is made. */
import { isCookieless, isRefused } from './consent';
import { anonymousId } from './identity';
import { options } from './options';
import { Key, read } from './store';

/** Why an event is not sent; the words are for the console, and only in builds that can print them. */
export type Reason = string | 1 | false | undefined;

const LOCAL_HOST = /^(127[.\d]+|\[.*|(.*\.)?localhost|)$/;
const pageDraw = Math.random();

declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

/** Patterns with commas between them; `*` stands for anything. */
const isListed = (patterns: string, text: string): boolean =>
  RegExp(`^(${patterns.replace(/,/g, '|').replace(/\*/g, '.*')})$`).test(text);

/** The share of people that is counted. */
export const sampleRate = (): number => Number(options.sample || 1);

/** The visitor's own wish: it also stops what was made before it. */
export const visitorsRefusal = (): Reason =>
  (read(Key.OptOut) && (WITH.debug ? 'opt-out' : 1)) ||
  (options.dnt !== 'off' &&
    ((navigator.globalPrivacyControl && (WITH.debug ? 'GPC' : 1)) || (WITH.rules && navigator.doNotTrack === '1' && (WITH.debug ? 'DNT' : 1)))) ||
  (isRefused() && (WITH.debug ? 'consent' : 1));

export const refusal = (): Reason =>
  visitorsRefusal() ||
  (options.local === 'off' && LOCAL_HOST.test(location.hostname) && (WITH.debug ? 'localhost' : 1)) ||
  (options.test === 'off' && navigator.webdriver && (WITH.debug ? 'webdriver' : 1)) ||
  (WITH.rules &&
    ((!isListed(options.domains || '*', location.hostname) && 'domain') ||
      (isListed(options.exclude || '', location.pathname) && 'exclude') ||
      // Last, because it needs an id. Random ids need no hash: the last digits say who is in.
      (sampleRate() <= (isCookieless() ? pageDraw : Number('.' + anonymousId().slice(-6))) && 'sampling')));
