/** What the visitor has allowed, and the work that waits for the start or for the answer. */
import { guarded } from './guard';
import { options } from './options';

const enum Held {
  Max = 100,
}

let decision: boolean | undefined;
let held: (() => unknown)[] = [];

const isWaiting = (): boolean =>
  !options.key || (WITH.rules && options.consent === 'required' && decision === undefined);

/** Nothing may be sent, stored or made: the visitor said no, or was not asked yet. */
export const isRefused = (): boolean => isWaiting() || (WITH.rules && decision === false);

/** Nothing is stored and no id is made. */
export const isCookieless = (): boolean =>
  WITH.rules && (options.cookieless != null || (options.consent === 'cookieless' && !decision));

/** Runs now, or once the tracker has started and the visitor agreed; at most 100 calls wait. */
export const whenAllowed = (run: () => unknown): void => {
  if (!isWaiting()) run();
  else if (held.length < Held.Max) held.push(run);
};

export const release = (): void => {
  if (!isWaiting()) held.splice(0).forEach(guarded((run) => run()));
};

export const decide = (isGiven: boolean): void => {
  decision = isGiven;
  if (!isGiven) held = [];
};
