/** Events that wait to be sent, and when they leave: together a moment later, at once when the page goes, again. */
import { options } from './options';
import { visitorsRefusal, type Reason } from './refusal';
import { Key, read, write } from './store';

const enum Max {
  QueueEvents = 100,
  QueueBytes = 256_000,
  EventBytes = 30_000,
  // A body may have 50,000 bytes; 100 are for what stands around the events.
  BatchBytes = 49_900,
  // Browsers refuse more than 64 KiB of unfinished keepalive bodies of a page, all of them together.
  KeepaliveBytes = 60_000,
}
const enum Wait {
  BatchMs = 300,
  // Doubled by each failure, the first one too.
  BaseMs = 500,
  LongestMs = 60_000,
  NamedMs = 3_600_000,
}

// Each event as its JSON text: nothing that happens later can change who did what, and when.
let queue: string[] = [];
let dropped = 0;
let batchEventsMax: number = Max.QueueEvents;
let failures = 0;
let bytesInFlight = 0;
let timer: ReturnType<typeof setTimeout> | 0 | undefined;
let isGone: boolean;

/** Length in UTF-8, which is what browsers and the server count. A list counts with its commas. */
const bytesOf = (text: unknown): number => new TextEncoder().encode(text as string).length;

/** The newest 100 events and 256 KB. */
const keep = (events: string[]): void => {
  for (queue = events; queue[Max.QueueEvents] || bytesOf(queue) > Max.QueueBytes; dropped++) queue.shift();
};

export const isLeaving = (isGoneNow = isGone): boolean => (isGone = isGoneNow) || document.hidden;

/**
 * One request, and what follows from its answer. Text without any header of our own, so that no preflight happens.
 */
const sendBatch = async (): Promise<void> => {
  const batch = queue.splice(0, batchEventsMax || 1);
  const told = dropped;
  let answer: Partial<Response>;
  // One event alone goes whatever its size: storage is not ours alone, and the server judges.
  while (batch[1] && bytesOf(batch) > Max.BatchBytes) queue.unshift(batch.pop()!);
  const bytes = bytesOf(batch);
  dropped = 0;
  try {
    answer = await fetch((options.host || '').replace(/\/*$/, `/e/${options.key}`), {
      method: 'POST',
      body: `{"t":${Date.now()},"d":${told},"e":[${batch as unknown as string}]}`,
      keepalive: (bytesInFlight += bytes) < Max.KeepaliveBytes,
      credentials: 'omit',
    });
    // Chromium gives the quota back at the end of the answer, not at its headers.
    await answer.text!();
  } catch {
    // A `fetch` that throws at once fails later: what is put back in the middle of sending would be sent without end.
    // eslint-disable-next-line @typescript-eslint/await-thenable -- later is what it is for
    answer = await {};
  }
  bytesInFlight -= bytes;
  if (answer.ok) failures = 0;
  else {
    dropped += told;
    // Too much at once: half of it. Half of one event is nothing, and drops it. No answer has no status: "undefined".
    if (answer.status == 413 ? (batchEventsMax = batch.length >> 1) : /^(u|429|5)/.test(answer.status as never)) {
      queue.unshift(...batch);
      clearTimeout(timer as number);
      // 1 s, 2 s, 4 s ... 60 s, times 0.5 to 1.5; what the server names wins.
      failures++;
      timer = setTimeout(
        send,
        Math.min(
          (answer.headers?.get('Retry-After') as never) * 1000 || Math.min(Wait.BaseMs * 2 ** failures, Wait.LongestMs) * (0.5 + Math.random()),
          Wait.NamedMs,
        ),
        1,
      );
      send();
    } else dropped += batch.length;
  }
};

/**
 * Takes over what is stored, and sends all of it: requests side by side, because the page may not live to see an answer.
 * Whoever opted out meanwhile, in this tab or another, has the queue erased. Without `isTry`, in the last moment of a
 * page, what has to wait is stored instead and outlives it.
 */
const sendOrStore = async (isTry?: unknown): Promise<void> => {
  let last: unknown;
  // The timer of a second try goes on.
  if (isTry) timer = clearTimeout(timer as number) as undefined;
  if (visitorsRefusal()) queue = [];
  else {
    keep([...(read(Key.Queue) || '').split('\n'), ...queue].filter((event) => event));
    write(Key.Queue, !isTry && (failures || !navigator.onLine || options.exit == 'next') ? queue.splice(0).join('\n') : '');
  }
  while (queue[0]) last = sendBatch();
  await last;
};

/** The same for builds without a second try. The timer may go on: it sends later events early, but none late. */
const sendOnce = async (): Promise<void> => {
  const batch = queue.splice((timer = 0));
  try {
    if (batch[0]) await fetch((options.host || '').replace(/\/*$/, `/e/${options.key}`), {
        method: 'POST',
        body: `{"t":${Date.now()},"e":[${batch as unknown as string}]}`,
        keepalive: true,
        credentials: 'omit',
        });
  } catch {
    // No second try.
  }
};

export const send: (isTry?: unknown) => unknown = WITH.retry ? sendOrStore : sendOnce;

/** Sends soon; a page that is going gets no timer any more. */
export const schedule = (): unknown =>
  isLeaving() ? queueMicrotask(send) : (timer ||= WITH.retry ? setTimeout(send, Wait.BatchMs, 1) : setTimeout(send, Wait.BatchMs));

/** Adds the newest event. One above 30 KB is dropped. */
export const append = (event: string): Reason => {
  if (bytesOf(event) > Max.EventBytes) return WITH.retry && (dropped++, 'size');
  // Without a second try nothing stays long enough to need a bound but the body's.
  if (!WITH.retry && bytesOf([queue, event]) > Max.BatchBytes) send();
  queue.push(event);
  if (WITH.retry) keep(queue);
  schedule();
  return undefined;
};

export const clearQueue = (): void => {
  queue = [];
  if (WITH.retry) write(Key.Queue);
};

/** Sends what waits, unless a failure is being waited out. */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise either way
export const flush = async (): Promise<unknown> => failures || send(1);
