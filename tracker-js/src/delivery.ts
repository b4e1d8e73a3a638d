/** When events leave: a moment after the first of a batch, all at once when the page goes, again after a failure. */
import { createAttempts } from './attempts';
import { guarded } from './guard';
import type { EncodedEvent } from './payload';
import { createQueue } from './queue';
import type { Post } from './transport';

const enum Delay {
  BatchMs = 300,
}

export interface Delivery {
  append(event: EncodedEvent): void;
  /** Sends what waits, unless a failure is being waited out. Settles when the queue was tried; never rejects. */
  flush: () => Promise<void>;
}

/** `isSilent` is asked before each send: whoever opted out meanwhile, in this tab or another, has the queue erased. */
export function createDelivery(post: Post, isSilent: () => boolean): Delivery {
  const queue = createQueue();
  const attempts = createAttempts(queue, post, flush);
  let batchTimer: ReturnType<typeof setTimeout> | undefined;
  let tail = Promise.resolve();
  let isGone = false;

  function isReady(): boolean {
    if (isSilent()) queue.clear();
    return !attempts.isWaiting();
  }

  /** One request at a time: order is kept, and a server in trouble is not met by a crowd. */
  async function drain(): Promise<void> {
    for (let sent; isReady() && (sent = attempts.sendNext()); ) await sent;
  }

  function flush(): Promise<void> {
    clearTimeout(batchTimer);
    batchTimer = undefined;
    return (tail = tail.then(drain));
  }

  /**
   * Requests side by side: the page may not live to see an answer. A hidden page may come back, so a server that asked
   * for time is given it; with `pagehide` it is now or never.
   */
  function sendBeforeLeaving(): void {
    if ((isReady() && document.hidden) || isGone) while (attempts.sendNext());
  }

  // Never `unload`: it would keep the page out of the back-forward cache.
  for (const type of ['pagehide', 'pageshow', 'visibilitychange'])
    addEventListener(type, guarded(() => {
      isGone = type === 'pagehide';
      sendBeforeLeaving();
    }));

  return {
    flush,
    append(event) {
      queue.append(event);
      if (isGone || document.hidden) void Promise.resolve().then(sendBeforeLeaving);
      else batchTimer ||= setTimeout(() => void flush(), Delay.BatchMs);
    },
  };
}
