/** Events that wait to be sent, and when they leave: together a moment later, at once when the page goes, again. */
import { options } from './options';
import { visitorsRefusal, type Reason } from './refusal';
import { Key, read, write } from './store';

const enum Max {
  QueueEvents = 100,
  QueueBytes = 262_144,
  EventBytes = 30_000,
  // A body may have 50,000 bytes; 100 are for what stands around the events.
  BatchBytes = 49_900,
  // Browsers refuse more than 64 KiB of unfinished keepalive bodies of a page, all of them together.
  KeepaliveBytes = 60_000,
}
const enum Wait {
  BatchMs = 300,
  FirstMs = 1000,
  LongestMs = 60_000,
  NamedMs = 3_600_000,
}

// Each event as its JSON text: nothing that happens later can change who did what, and when.
let queue: string[] = [];
let dropped = 0;
let batchEventsMax: number = Max.QueueEvents;
let failures = 0;
let bytesInFlight = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let isGone: boolean;

/** Length in UTF-8, which is what browsers and the server count. A list counts with its commas. */
const bytesOf = (text: string | string[]): number => new TextEncoder().encode(text as string).length;

const keep = (events: string[]): void => {
  for (queue = events; queue.length > Max.QueueEvents || bytesOf(queue) > Max.QueueBytes; dropped++) queue.shift();
};

export const isLeaving = (isGoneNow = isGone): boolean => (isGone = isGoneNow) || document.hidden;

/** Adds the newest event; one above 30 KB is dropped, and so are the oldest above 100 events or 256 KB. */
export const append = (event: string): Reason => {
  if (bytesOf(event) > Max.EventBytes) {
    if (WITH.retry) dropped++;
    return WITH.debug && 'too large';
  }
  // Without a second try nothing stays long enough to need a bound but the body's.
  if (!WITH.retry && bytesOf([...queue, event]) > Max.BatchBytes) sendAll();
  if (WITH.retry) keep([...queue, event]);
  else queue.push(event);
  schedule();
  return undefined;
};

/** Sends soon; a page that is going gets no timer any more. */
export const schedule = (): void => {
  if (isLeaving()) queueMicrotask(sendOrKeep);
  else timer ||= setTimeout(sendAll, Wait.BatchMs);
};

export const clearQueue = (): void => {
  queue = [];
  if (WITH.retry) dropped = 0;
  if (WITH.retry) write(Key.Queue);
};

/** Sends what waits, unless a failure is being waited out. */
export const flush = async (): Promise<void> => {
  if (!WITH.retry || !failures) await sendAll();
};

/** Takes over what is stored. Whoever opted out meanwhile, in this tab or another, has the queue erased. */
const gather = (): void => {
  const stored = WITH.retry ? read(Key.Queue) : '';
  if (visitorsRefusal()) queue = [];
  else if (stored) {
    write(Key.Queue);
    keep([...stored.split('\n'), ...queue]);
  }
};

/** Requests side by side: the page may not live to see an answer. */
export const sendAll = (): unknown => {
  let last;
  clearTimeout(timer);
  timer = undefined;
  gather();
  if (WITH.retry) while (queue[0]) last = sendBatch();
  else if (queue[0]) last = post(queue.splice(0), 0).catch(() => 0);
  return last;
};

/** The last moment of a page. What has to wait outlives it in storage. */
export const sendOrKeep = (): void => {
  if (WITH.retry && (failures || !navigator.onLine || options.exit === 'next')) {
    gather();
    // Nothing of ours: what other pages stored stays, also while consent is awaited.
    if (queue[0]) write(Key.Queue, queue.join('\n'));
    queue = [];
  } else sendAll();
};

/**
 * Text without any header of our own, so that no preflight happens. Async, so that a `fetch` which throws at once is one
 * that fails later: what is put back in the middle of sending would be sent without end.
 */
const post = async (batch: string[], told: number): Promise<Response> =>
  fetch(`${(options.host || '').replace(/\/+$/, '')}/e/${options.key}`, {
    method: 'POST',
    body: `{"t":${Date.now()},"d":${told},"e":[${batch.join()}]}`,
    keepalive: bytesInFlight < Max.KeepaliveBytes,
    credentials: 'omit',
  });

const sendBatch = async (): Promise<void> => {
  const batch: string[] = [];
  const told = dropped;
  let bytes = 0;
  let status = 0;
  let waitMs = 0;
  while (queue[0] && batch.length < batchEventsMax && bytes + bytesOf(queue[0]) < Max.BatchBytes) {
    bytes += bytesOf(queue[0]) + 1;
    batch.push(queue.shift()!);
  }
  dropped = 0;
  bytesInFlight += bytes;
  try {
    const response = await post(batch, told);
    // Chromium gives the quota back at the end of the answer, not at its headers.
    await response.text();
    status = response.status;
    waitMs = (response.headers.get('Retry-After') as never) * 1000;
  } catch {
    // No answer: status 0.
  }
  bytesInFlight -= bytes;
  if (status > 199 && status < 300) failures = 0;
  else if (/^(0|413|429|5)/.test(String(status)) && batch[status === 413 ? 1 : 0]) {
    dropped += told;
    keep([...batch, ...queue]);
    if (status === 413) batchEventsMax = batch.length >> 1;
    clearTimeout(timer);
    // 1 s, 2 s, 4 s ... 60 s, times 0.5 to 1.5; what the server names wins.
    const backoffMs = Math.min(Wait.FirstMs * 2 ** failures++, Wait.LongestMs) * (0.5 + Math.random());
    timer = setTimeout(sendAll, Math.min(waitMs || backoffMs, Wait.NamedMs));
    if (isLeaving()) sendOrKeep();
  } else dropped += told + batch.length;
};
