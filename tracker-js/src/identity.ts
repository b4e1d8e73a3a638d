/** Who acts: the anonymous id of this browser, its session and, after `identify`, the user's id. */
import { refuse } from './guard';
import { Key, read, write } from './store';


/** A name or an id as text; placeholders and more than 200 characters are refused. Small builds leave that to the server. */
export const textOf = (value: unknown): string =>
  !WITH.identity
    ? (value as string)
    : // The server's list of placeholders, what broken clients send instead of an id, and its limit.
      /^(?!\s*(null|undefined|none|nan|anonymous|guest|-1|\[.*|[0-]*)\s*$).{1,200}$/i.test(value as string)
      ? String(value)
      : refuse();

/** 128 random bits as decimal digits. Not `crypto.randomUUID`: pages served over plain http lack it. */
export const randomId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('');

/** Made on first use, then the same in all tabs until it is removed from the store. */
export const anonymousId = (): string => write(Key.Anonymous, read(Key.Anonymous) || randomId())!;

/** When the session had its last event, and its id. */
export const session = (): string[] => String(read(Key.Session)).split('.');

/** What a page may know of them. All are missing before the first event, for visitors who are not counted, and in cookieless mode. */
export const ids = {
  get anonymousId() {
    return read(Key.Anonymous);
  },
  /** The user, else the anonymous id. */
  get userId() {
    return read(Key.User) || read(Key.Anonymous);
  },
  get sessionId() {
    return session()[1];
  },
};

export type Ids = Readonly<typeof ids>;
