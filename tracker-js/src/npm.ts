/** The package: the same tracker as functions to import. Importing does nothing; without a browser every call does nothing. */
import { guarded } from './guard';
import { tracker, type Tracker } from './tracker';

export type { Hook, Properties, WireEvent } from './event';
export type { Options } from './options';
export type { Ids } from './identity';
export type { Tracker } from './tracker';

const inBrowser = <Name extends keyof Tracker>(name: Name): Tracker[Name] =>
  guarded((...args: unknown[]) =>
    typeof window === 'undefined' ? Promise.resolve() : (tracker[name] as (...args: unknown[]) => unknown)(...args),
  ) as Tracker[Name];

export const init = inBrowser('init');
export const track = inBrowser('track');
export const page = inBrowser('page');
export const identify = inBrowser('identify');
export const group = inBrowser('group');
export const alias = inBrowser('alias');
export const set = inBrowser('set');
export const reset = inBrowser('reset');
export const optOut = inBrowser('optOut');
export const optIn = inBrowser('optIn');
export const consent = inBrowser('consent');
export const flush = inBrowser('flush');
export const ready = inBrowser('ready');
export const before = inBrowser('before');
