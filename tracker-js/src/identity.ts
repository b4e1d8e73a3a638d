/** Who acts: the anonymous id of this browser and, after `identify`, the user's id. */
import { idOrNew } from './random-id';
import { Key, type Store } from './store';

// The server's limit, and its list of placeholders: what broken clients send instead of an id.
const enum UserId {
  CharsMax = 200,
}
const PLACEHOLDER = /^\s*(|null|undefined|none|nan|anonymous|guest|-1|\[object object\]|[0-]+)\s*$/i;

/** False for placeholders, for anything but text and numbers, and above 200 characters. */
export function isUserId(value: unknown): boolean {
  return /str|num/.test(typeof value) && !PLACEHOLDER.test(String(value)) && String(value).length <= UserId.CharsMax;
}

/** Made on first use, then the same in all tabs until it is removed from the store. */
export function anonymousId(store: Store): string {
  const id = idOrNew(store.read(Key.Anonymous));
  store.write(Key.Anonymous, id);
  return id;
}
