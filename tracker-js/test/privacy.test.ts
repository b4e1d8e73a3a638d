import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { heldAnswer } from './support/collector';
import { createStorage, openPage, type Page } from './support/page';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

async function useAllOf(page: Page): Promise<void> {
  page.iafa.track('One');
  page.iafa.page();
  page.iafa.identify('u1');
  page.window.history.pushState(null, '', '/next');
  page.dispatch('pageshow', true);
  await page.iafa.flush();
  page.setHidden(true);
  page.dispatch('pagehide');
  await page.settle();
}

it.each([
  ['Do Not Track', { doNotTrack: '1' }],
  ['Global Privacy Control', { globalPrivacyControl: true }],
  ['both', { doNotTrack: '1', globalPrivacyControl: true }],
  ['Do Not Track while the other is refused', { doNotTrack: '1', globalPrivacyControl: false }],
])('%s: nothing is sent, stored or made', async (_, navigator) => {
  const makeId = vi.fn(() => {
    throw new Error('an id was made');
  });
  const page = openPage({
    navigator,
    prepare: ({ crypto }) => {
      Object.defineProperty(crypto, 'getRandomValues', { value: makeId });
    },
  });
  await useAllOf(page);
  expect(page.collector.requests).toHaveLength(0);
  expect(page.window.localStorage).toHaveLength(0);
  expect(makeId).not.toHaveBeenCalled();
});

it.each([
  ['they are ignored with data-dnt="off"', { doNotTrack: '1', globalPrivacyControl: true }, { dnt: 'off' }],
  ['doNotTrack "0" is no refusal', { doNotTrack: '0' }, {}],
  ['doNotTrack "unspecified" is no refusal', { doNotTrack: 'unspecified', globalPrivacyControl: false }, {}],
  ['an automated browser counts', { webdriver: true }, {}],
])('%s', async (_, navigator, attributes) => {
  const page = openPage({ navigator, attributes });
  await page.settle();
  expect(page.collector.seen()).toHaveLength(1);
});

it.each([
  ['http://localhost:5173/', 0],
  ['http://shop.localhost/', 0],
  ['http://127.0.0.1/', 0],
  ['http://127.8.9.1:8000/', 0],
  ['http://[::1]:3000/', 0],
  ['file:///home/index.html', 0],
  ['https://localhost.example/', 1],
  ['https://127.0.0.1.example/', 1],
  ['http://192.168.1.2/', 1],
])('%s is counted by default, and with data-local="off" %i times', async (url, count) => {
  const open = openPage({ url });
  const closed = openPage({ url, attributes: { local: 'off' } });
  await open.settle();
  expect(open.collector.seen()).toHaveLength(1);
  expect(closed.collector.seen()).toHaveLength(count);
});

it('optOut erases ids and waiting events, holds on the next page and in other tabs, until optIn', async () => {
  const storage = createStorage();
  const other = openPage({ storage });
  const page = openPage({ storage });
  page.iafa.identify('u1');
  page.iafa.optOut();
  await useAllOf(page);
  const next = openPage({ storage });
  await next.settle();

  for (const tab of [page, other, next]) expect(tab.collector.requests).toHaveLength(0);
  expect(storage).toHaveLength(1);
  expect(storage.getItem('iafa_off')).toBe('1');

  next.iafa.optIn();
  next.iafa.track('Back');
  await next.settle();
  expect(next.collector.seen().map(({ n, u }) => [n, u])).toEqual([['Back', undefined]]);
});

it('what failed before optOut is not sent again after optIn', async () => {
  const page = openPage();
  page.collector.reactions.push({ status: 503 });
  await page.settle();
  page.iafa.track('Waiting');
  page.iafa.optOut();
  await page.settle();
  page.iafa.optIn();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(page.collector.requests).toHaveLength(1);
});

it('a request that fails after optOut is not tried again', async () => {
  const page = openPage();
  const { answer, give } = heldAnswer();
  page.collector.reactions.push(answer);
  await page.settle();
  page.iafa.optOut();
  give(503);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(page.collector.requests).toHaveLength(1);
});

it('optOut works in memory where storage is blocked', async () => {
  const page = openPage({ storage: 'blocked' });
  page.iafa.optOut();
  page.iafa.track('One');
  await page.settle();
  expect(page.collector.requests).toHaveLength(0);
});
