/** Text under a key: in `localStorage`, or in memory of this page where that is blocked, full, or not allowed. */
import { isCookieless } from './consent';

/** Each is stored as `iafa_` and this. */
export const enum Key {
  Anonymous = 'a',
  User = 'u',
  Session = 's',
  Queue = 'q',
  OptOut = 'off',
}

let store: Record<string, string | undefined> = {};
let isOut: string | undefined;

if (!WITH.rules)
  try {
    store = localStorage;
  } catch {
    // Blocked: what memory holds is all there is.
  }

/** An explicit wish is kept even where nothing else may be. */
export const openStore = (isWish?: boolean): void => {
  try {
    store = localStorage;
    if (WITH.rules && !isWish && isCookieless()) store = { iafa_off: store.iafa_off };
  } catch {
    // Blocked: what memory holds is all there is.
  }
};

export const read = (key: Key): string | undefined => store['iafa_' + key];

/** Replaces the value and returns it; an empty one removes the key. */
export const write = (key: Key, value?: string): string | undefined => {
  const name = 'iafa_' + key;
  try {
    // Never removed to be written again: another tab would see the gap and make an id of its own.
    if (value) store[name] = value;
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- removeItem is longer and does the same
    else delete store[name];
  } catch {
    store = { ...store, [name]: value };
  }
  return value;
};

/** In small builds, which store nothing else: the opt-out. */
export const setFlag = (flag: string): void => {
  store.iafa_off = isOut = flag;
};

export const isOptedOut = (): unknown => (WITH.identity ? read(Key.OptOut) : store.iafa_off || isOut);
