/** Who acts: the anonymous id of this browser, its session and, after `identify`, the user's id. */
import { Key, read, write } from './store';

const enum Session {
  GapMs = 3_600_000,
}
// The server's list of placeholders, what broken clients send instead of an id, and its limit.
const USER_ID = /^(?!\s*(null|undefined|none|nan|anonymous|guest|-1|\[.*|[0-]*)\s*$).{1,200}$/i;

/** False for placeholders and above 200 characters. */
export const isMeant = (value: unknown): boolean => (WITH.identity ? USER_ID : /^.{1,200}$/).test(value as string);

/** 128 random bits as decimal digits. Not `crypto.randomUUID`: pages served over plain http lack it. */
export const randomId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('');

/** Made on first use, then the same in all tabs until it is removed from the store. */
export const anonymousId = (): string => {
  const id = read(Key.Anonymous) || randomId();
  write(Key.Anonymous, id);
  return id;
};

/**
 * The session that an event at `nowMs` belongs to; more than 60 minutes without an event begin a new one. A hint for
 * the server, which derives sessions from the events itself.
 */
export const touchSession = (nowMs: number): string => {
  const [stored, lastMs] = read(Key.Session).split('.');
  const id = (nowMs - (lastMs as never) <= Session.GapMs && stored) || randomId();
  write(Key.Session, `${id}.${nowMs}`);
  return id;
};

export const sessionId = (): string => read(Key.Session).split('.')[0]!;
