/** Whether this visitor and this page are counted, and if not, why. Asked before an id is made. */
import { isRefused } from './consent';
import { options } from './options';
import { isOptedOut } from './store';

/** Why an event is not sent: the attribute that rules it out, in builds that can print it; else only whether. */
export type Reason = unknown;


declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

const isLocal = (): boolean => /^(127[.\d]+|\[.*|.*\blocalhost|)$/.test(location.hostname);

/** Patterns with commas between them; `*` stands for anything. */
const isListed = (patterns: string | undefined, text: string): boolean =>
  RegExp(`^(${patterns})$`.replace(/,/g, '|').replace(/\*/g, '.*')).test(text);

/** The visitor's own wish: it also stops what was made before it. */
export const visitorsRefusal = (): Reason =>
  WITH.rules
    ? (isOptedOut() && 'off') ||
      (options.dnt != 'off' && (navigator.globalPrivacyControl || navigator.doNotTrack == '1') && 'dnt') ||
      (isRefused() && 'consent')
    : isOptedOut() || (options.dnt != 'off' && navigator.globalPrivacyControl);

/** Without what needs to know the event or an id. */
export const refusal = (): Reason =>
  WITH.rules
    ? visitorsRefusal() ||
      (options.local == 'off' && isLocal() && 'local') ||
      (options.test == 'off' && navigator.webdriver && 'test') ||
      (!isListed(options.domains || '*', location.hostname) && 'domains') ||
      (isListed(options.exclude, location.pathname) && 'exclude')
    : visitorsRefusal() || (options.local == 'off' && isLocal()) || (options.test == 'off' && navigator.webdriver);
