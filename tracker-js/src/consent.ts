/** What the visitor has allowed, and the work that waits for the start or for the answer. */
import { guarded } from './guard';
import { options } from './options';

export const enum Held {
  Last = 99,
}

export const held: (() => unknown)[] = [];

declare global {
  interface Document {
    readonly prerendering?: boolean;
  }
}

/** Nothing may be sent, stored or made yet: not started, a page that nobody may ever see, or a visitor not asked. */
export const isWaiting = (): unknown =>
  WITH.rules
    ? !options.key || document.prerendering || options.consent == 'required'
    : !options.key || document.prerendering;

/** Neither yet, nor any more. */
export const isRefused = (): unknown => isWaiting() || options.consent == 'off';

/** Nothing is stored and no id is made. */
export const isCookieless = (): boolean => WITH.rules && (options.cookieless != null || options.consent == 'cookieless');

/** Runs now, or once the tracker has started and the visitor agreed; at most 100 calls wait. */
export const whenAllowed = (run: () => unknown): unknown => (isWaiting() ? held[Held.Last] || held.push(run) : run());

/** What waited for a refusal is refused one by one. */
export const release = (): unknown =>
  isWaiting() || held.splice(0).forEach(guarded((run) => run()));
