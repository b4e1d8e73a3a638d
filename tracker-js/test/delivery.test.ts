import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { heldAnswer, type Reaction } from './support/collector';
import { createStorage, openPage, type Page, type PageOptions } from './support/page';

const NOW_MS = Date.parse('2026-11-20T10:00:00Z');
const KEEPALIVE_BYTES_MAX = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A page without a view of its own; `jitter` 0.5 makes every backoff exactly its nominal length. */
function openQuietPage(reactions: Reaction[] = [], { jitter = 0.5, ...options }: PageOptions & { jitter?: number } = {}): Page {
  const page = openPage({
    attributes: { auto: 'off' },
    ...options,
    prepare: ({ Math }: { Math?: typeof globalThis.Math }) => {
      if (Math) Math.random = () => jitter;
    },
  });
  page.collector.reactions.push(...reactions);
  return page;
}

function trackMany(page: Page, count: number, properties: Record<string, unknown> = {}): void {
  for (let number = 1; number <= count; number++) page.iafa.track(`E${number}`, properties);
}

const names = (page: Page) => page.collector.seen().map(({ n }) => n);
const storedNames = (page: Page) => page.collector.stored().map(({ n }) => n);
const sentAfterMs = (page: Page) => page.collector.requests.map(({ atMs }) => atMs - NOW_MS);

describe('bodies', () => {
  it.each([
    ['ASCII', 'x'.repeat(2000)],
    ['CJK, three bytes a character', '漢'.repeat(2000)],
    ['emoji, four bytes for two units', '😀'.repeat(1000)],
    ['half a surrogate pair, escaped', '\ud800'.repeat(300)],
  ])('are split at 50,000 bytes of UTF-8: %s', async (_, text) => {
    const page = openQuietPage();
    trackMany(page, 40, { text });
    await page.settle();
    expect(storedNames(page)).toEqual(Array.from({ length: 40 }, (_, index) => `E${index + 1}`));
    expect(page.collector.requests.length).toBeGreaterThan(1);
    for (const { bytes } of page.collector.requests) expect(bytes).toBeLessThanOrEqual(50_000);
    const [first] = page.collector.requests;
    expect(first?.bytes).toBeGreaterThan(40_000);
    expect(page.collector.seen()[0]?.p).toEqual({ text });
  });

  it('stay below 50,000 bytes when every event belongs to another person', async () => {
    const page = openQuietPage();
    for (let count = 0; count < 60; count++) {
      page.iafa.track('One', { text: 'x'.repeat(700) });
      page.iafa.reset();
    }
    await page.settle();
    expect(page.collector.requests.length).toBeGreaterThan(1);
    for (const { bytes } of page.collector.requests) expect(bytes).toBeLessThanOrEqual(50_000);
    expect(new Set(page.collector.stored().map(({ a }) => a)).size).toBe(60);
  });

  it('an event above 30 KB is dropped and counted in the next body', async () => {
    const page = openQuietPage();
    page.iafa.track('Large', { text: '漢'.repeat(10_000) });
    page.iafa.track('Small', { text: '漢'.repeat(9_000) });
    await page.settle();
    page.iafa.track('Later');
    await page.settle();
    expect(names(page)).toEqual(['Small', 'Later']);
    expect(page.collector.requests.map(({ body }) => body.d)).toEqual([1, 0]);
  });
});

describe('the queue', () => {
  it('keeps the newest 100 events and counts the others', async () => {
    const page = openQuietPage();
    trackMany(page, 130);
    await page.settle();
    expect(page.collector.requests).toHaveLength(1);
    expect(page.collector.requests[0]?.body.d).toBe(30);
    expect([names(page).length, names(page)[0], names(page).at(-1)]).toEqual([100, 'E31', 'E130']);
  });

  it('keeps at most 256 KB and counts the others', async () => {
    const page = openQuietPage();
    trackMany(page, 20, { text: 'x'.repeat(29_000) });
    await page.settle();
    const bytes = page.collector.requests.reduce((sum, request) => sum + request.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(256 * 1024);
    expect(names(page)).toEqual(['E13', 'E14', 'E15', 'E16', 'E17', 'E18', 'E19', 'E20']);
    expect(page.collector.requests[0]?.body.d).toBe(12);
  });

  it('counts what overflows while the server is down, once, in the first body that is stored', async () => {
    const page = openQuietPage([{ status: 503 }, { status: 503 }]);
    trackMany(page, 100);
    await page.settle();
    trackMany(page, 10);
    await vi.advanceTimersByTimeAsync(60_000);
    trackMany(page, 1);
    await page.settle();
    expect(page.collector.requests.map(({ body }) => body.d)).toEqual([0, 10, 10, 0]);
    expect(storedNames(page)).toHaveLength(101);
  });
});

describe('after a failure', () => {
  it('events put back in front of newer ones are the first to go above 100', async () => {
    const page = openQuietPage([{ status: 503 }]);
    trackMany(page, 60);
    await page.settle();
    trackMany(page, 60);
    await vi.advanceTimersByTimeAsync(5000);
    expect(page.collector.requests.map(({ body }) => [body.e.length, body.d])).toEqual([[60, 0], [100, 20]]);
    expect(page.collector.requests[1]?.body.e[0]?.n).toBe('E21');
  });

  it('two requests of a hidden page that fail side by side are both tried again', async () => {
    const page = openQuietPage([{ status: 503 }, { status: 503 }, { status: 503 }]);
    trackMany(page, 2, { text: 'x'.repeat(29_000) });
    page.setHidden(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(storedNames(page).sort()).toEqual(['E1', 'E2']);
  });

  it.each<[string, Reaction]>([
    ['no network', 'no network'], ['429', { status: 429 }], ['500', { status: 500 }], ['503', { status: 503 }],
  ])('%s: the same events go again with the same ids and times', async (_, reaction) => {
    const page = openQuietPage([reaction, reaction]);
    page.iafa.identify('u1');
    page.iafa.track('One');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.collector.requests).toHaveLength(3);
    const [first, second, third] = page.collector.requests.map(({ body }) => body);
    expect(second?.e).toEqual(first?.e);
    expect(third?.e).toEqual(first?.e);
    expect(third?.t).toBe(NOW_MS + 300 + 1000 + 2000);
    expect(storedNames(page)).toEqual(['identify', 'One']);
  });

  it.each([
    ['nominal', 0.5, 1], ['shortest', 0, 0.5], ['longest', 1, 1.5],
  ])('waits 1 s, 2 s, 4 s ... 60 s, times 0.5 to 1.5: %s', async (_, jitter, factor) => {
    const page = openQuietPage(Array.from({ length: 9 }, () => ({ status: 503 })), { jitter });
    page.iafa.track('One');
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    const sent = sentAfterMs(page);
    const waits = sent.slice(1).map((atMs, index) => atMs - (sent[index] ?? 0));
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000 * factor));
  });

  it('starts again at 1 s after a success', async () => {
    const page = openQuietPage([{ status: 503 }, { status: 503 }, { status: 204 }, { status: 503 }]);
    page.iafa.track('One');
    await vi.advanceTimersByTimeAsync(10_000);
    page.iafa.track('Two');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sentAfterMs(page).slice(-2)).toEqual([10_300, 11_300]);
  });

  it.each<[string, string, number]>([
    ['seconds', '7', 7000],
    ['more than our own limit', '600', 600_000],
    ['0 would be a hot loop', '0', 1000],
    ['a date in the past', new Date(NOW_MS - 60_000).toUTCString(), 1000],
    ['unreadable', 'soon', 1000],
    ['empty', '', 1000],
  ])('Retry-After wins: %s', async (_, header, waitMs) => {
    const page = openQuietPage([{ status: 429, headers: { 'Retry-After': header } }]);
    page.iafa.track('One');
    await page.settle();
    page.iafa.track('Two');
    await page.iafa.flush();
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    expect(page.collector.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(page.collector.requests).toHaveLength(2);
    expect(storedNames(page)).toEqual(['One', 'Two']);
  });

  it('a Retry-After is obeyed for an hour at most', async () => {
    const page = openQuietPage([{ status: 503, headers: { 'Retry-After': '99999999' } }]);
    page.iafa.track('One');
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(page.collector.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(page.collector.requests).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 422])('%i is final: dropped, not tried again, counted', async (status) => {
    const page = openQuietPage([{ status }]);
    trackMany(page, 3);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(page.collector.requests).toHaveLength(1);
    page.iafa.track('Later');
    await page.settle();
    expect(storedNames(page)).toEqual(['Later']);
    expect(page.collector.requests[1]?.body.d).toBe(3);
  });

  it('413 halves until it fits; each event is stored once', async () => {
    const page = openQuietPage([{ status: 413 }, { status: 413 }]);
    trackMany(page, 8);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(page.collector.requests.map(({ body }) => body.e.length)).toEqual([8, 4, 4, 2, 2]);
    expect(storedNames(page).sort()).toEqual(['E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7', 'E8']);
  });

  it('a single event that is answered 413 is dropped and counted', async () => {
    const page = openQuietPage([{ status: 413 }, { status: 413 }]);
    trackMany(page, 2);
    await vi.advanceTimersByTimeAsync(20_000);
    page.iafa.track('Later');
    await page.settle();
    expect(storedNames(page)).toEqual(['E2', 'Later']);
    expect(page.collector.requests.at(-1)?.body.d).toBe(1);
  });
});

describe('requests', () => {
  it('a slow answer does not hold back later events', async () => {
    const page = openQuietPage();
    const { answer, give } = heldAnswer();
    page.collector.reactions.push(answer);
    page.iafa.track('One');
    await page.settle();
    page.iafa.track('Two');
    await page.settle();
    expect(names(page)).toEqual(['One', 'Two']);
    give(204);
    await page.settle();
    expect(storedNames(page)).toEqual(['Two', 'One']);
  });

  it('flush sends at once and settles when the answer is there', async () => {
    const page = openQuietPage();
    const { answer, give } = heldAnswer();
    page.collector.reactions.push(answer);
    page.iafa.track('One');
    let isSettled = false;
    void page.iafa.flush().then(() => (isSettled = true));
    await vi.advanceTimersByTimeAsync(0);
    expect([names(page), isSettled]).toEqual([['One'], false]);
    give(204);
    await vi.advanceTimersByTimeAsync(0);
    expect(isSettled).toBe(true);
  });

  it('unfinished keepalive bodies stay below 60,000 bytes together; what is above goes without keepalive', async () => {
    const page = openQuietPage();
    const held = [heldAnswer(), heldAnswer(), heldAnswer()];
    page.collector.reactions.push(...held.map(({ answer }) => answer));
    trackMany(page, 5, { text: 'x'.repeat(29_000) });
    page.dispatch('pagehide');
    const sent = page.collector.requests.map(({ init, bytes }) => [init.keepalive, bytes > 29_000]);
    expect(sent).toEqual([[true, true], [true, true], [false, true], [false, true], [false, true]]);
    const keepaliveBytes = page.collector.requests
      .filter(({ init }) => init.keepalive)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    expect(keepaliveBytes).toBeLessThan(KEEPALIVE_BYTES_MAX);

    held.forEach(({ give }) => { give(204); });
    await page.settle();
    page.dispatch('pageshow', true);
    page.iafa.track('Later', { text: 'x'.repeat(29_000) });
    await page.settle();
    expect(page.collector.requests.at(-1)?.init.keepalive).toBe(true);
  });
});

describe('when the page goes', () => {
  it.each<[string, (page: Page) => void]>([
    ['hidden', (page) => { page.setHidden(true); }],
    ['pagehide', (page) => { page.dispatch('pagehide'); }],
  ])('%s sends at once, without a task between', (_, leave) => {
    const page = openQuietPage();
    page.iafa.track('One');
    leave(page);
    expect(names(page)).toEqual(['One']);
  });

  it('does not wait for a request that is under way', async () => {
    const page = openQuietPage([new Promise<number>(() => undefined)]);
    page.iafa.track('One');
    await page.settle();
    page.iafa.track('Two');
    page.dispatch('pagehide');
    expect(names(page)).toEqual(['One', 'Two']);
  });

  it('events made in a later pagehide listener leave without a timer', async () => {
    const page = openQuietPage();
    page.window.addEventListener('pagehide', () => {
      page.iafa.track('Bye');
      page.iafa.track('Bye again');
    });
    page.dispatch('pagehide');
    await vi.advanceTimersByTimeAsync(0);
    expect(page.collector.requests.map(({ body }) => body.e.map(({ n }) => n))).toEqual([['Bye', 'Bye again']]);
  });

  it('events of a hidden tab leave without a timer', async () => {
    const page = openQuietPage();
    page.setHidden(true);
    page.iafa.track('In the background');
    await vi.advanceTimersByTimeAsync(0);
    expect(names(page)).toEqual(['In the background']);
  });

  it('a tab that is shown again batches again', async () => {
    const page = openQuietPage();
    page.setHidden(true);
    page.setHidden(false);
    page.iafa.track('One');
    await vi.advanceTimersByTimeAsync(299);
    expect(page.collector.requests).toHaveLength(0);
  });

  it('leaving does not break into Retry-After: what waits goes to storage, and from there to the next page', async () => {
    const storage = createStorage();
    const page = openQuietPage([{ status: 503, headers: { 'Retry-After': '30' } }], { storage });
    page.iafa.track('One');
    await page.settle();
    page.setHidden(true);
    page.iafa.track('Two');
    await page.settle();
    page.dispatch('pagehide');
    expect(page.collector.requests).toHaveLength(1);
    expect(storage.iafa_q).toContain('"n":"One"');

    const next = openQuietPage([], { storage });
    await next.settle();
    expect(storedNames(next)).toEqual(['One', 'Two']);
    expect(next.collector.requests).toHaveLength(1);
    expect(storage.iafa_q).toBeUndefined();
    const ids = [page.collector.seen()[0]?.i, next.collector.seen()[0]?.i];
    expect(ids[0]).toBe(ids[1]);
  });

  it('nothing waits, nothing is sent', () => {
    const page = openQuietPage();
    page.setHidden(true);
    page.dispatch('pagehide');
    expect(page.collector.requests).toHaveLength(0);
  });
});
