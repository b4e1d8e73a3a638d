/** One batch after another to the server, and what its answer means for the batch: stored, again, in halves, or lost. */
import { waitMs } from './backoff';
import { encodeBody, type EncodedEvent } from './payload';
import type { Queue } from './queue';
import type { Answer, Post } from './transport';

const enum Batch {
  EventsMax = 100,
}

export interface Attempts {
  /** Sends the oldest batch; `undefined` when nothing waits. Never rejects. */
  sendNext(): Promise<void> | undefined;
  /** True from a failure until its waiting time is over. */
  isWaiting(): boolean;
}

/** `onRetry` is called when the waiting time after a failure is over. */
export function createAttempts(queue: Queue, post: Post, onRetry: () => unknown): Attempts {
  let batchEventsMax: number = Batch.EventsMax;
  let failures = 0;
  let isWaiting = false;

  function waitOut(retryAfter: string | null | undefined): void {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      onRetry();
    }, waitMs(failures++, retryAfter));
  }

  function settle(batch: readonly EncodedEvent[], dropped: number, { status, retryAfter }: Answer): void {
    if (status >= 200 && status < 300) {
      failures = 0;
      batchEventsMax = Math.min(batchEventsMax * 2, Batch.EventsMax);
      return;
    }
    queue.dropped += dropped;
    if (!status || status === 429 || status >= 500) {
      queue.putBack(batch);
      waitOut(retryAfter);
    } else if (status === 413 && batch.length > 1) {
      queue.putBack(batch);
      batchEventsMax = Math.ceil(batch.length / 2);
    } else {
      queue.dropped += batch.length;
    }
  }

  return {
    sendNext() {
      const batch = queue.take(batchEventsMax);
      if (!batch.length) return undefined;
      const { dropped } = queue;
      queue.dropped = 0;
      return post(encodeBody(batch, dropped, Date.now())).then((answer) => {
        settle(batch, dropped, answer);
      });
    },
    isWaiting: () => isWaiting,
  };
}
