/** Text under a key: in `localStorage`, or in memory of this page where that is blocked, full, or not allowed. */
import { isCookieless } from './consent';

export const enum Key {
  Anonymous = 'iafa_a',
  User = 'iafa_u',
  Session = 'iafa_s',
  Queue = 'iafa_q',
  OptOut = 'iafa_off',
}

let store: Record<string, string | undefined> = {};

/** An explicit wish is kept even where nothing else may be. */
export const openStore = (isWish?: boolean): void => {
  try {
    store = localStorage;
    if (WITH.rules && !isWish && isCookieless()) store = { [Key.OptOut]: store[Key.OptOut] };
  } catch {
    // Blocked: what memory holds is all there is.
  }
};

/** The value; empty if there is none. */
export const read = (key: Key): string => store[key] || '';

/** Replaces the value; an empty one removes the key. */
export const write = (key: Key, value = ''): void => {
  try {
    // Never removed to be written again: another tab would see the gap and make an id of its own.
    if (value) store[key] = value;
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- removeItem is longer and does the same
    else delete store[key];
  } catch {
    store = { ...store, [key]: value };
  }
};
