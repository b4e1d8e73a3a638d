/** The session id: a hint for the server, which derives sessions from the events itself. */
import { idOrNew } from './random-id';
import { Key, type Store } from './store';

const enum Session {
  GapMs = 3_600_000,
}

/** The session that an event at `nowMs` belongs to; more than 60 minutes without an event begin a new one. */
export function touchSession(store: Store, nowMs: number): string {
  const [stored, lastMs] = store.read(Key.Session).split('.');
  const id = idOrNew(nowMs - Number(lastMs) <= Session.GapMs ? stored : '');
  store.write(Key.Session, `${id}.${nowMs}`);
  return id;
}
