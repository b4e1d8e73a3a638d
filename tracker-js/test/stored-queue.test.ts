import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createStorage, openPage, type Page, type PageOptions } from './support/page';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

const quiet = (options: PageOptions) => openPage({ ...options, attributes: { auto: 'off' } });
const names = (page: Page) => page.collector.seen().map(({ n }) => n);

it('what failed is stored while it waits, so that a page that ends at once loses nothing, and goes once', async () => {
  const storage = createStorage();
  const page = quiet({ storage });
  page.collector.reactions.push({ status: 503 });
  page.iafa.track('One');
  await page.settle();
  expect(storage.iafa_q).toContain('"n":"One"');
  page.iafa.track('Two');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.collector.stored().map(({ n }) => n)).toEqual(['One', 'Two']);
  expect(storage.iafa_q).toBeUndefined();
});

it('a stored event of any size is sent once, and does not hold the others up', async () => {
  const events = ['x'.repeat(60_000), 'y', 'z'].map((text) => JSON.stringify({ n: text }));
  const page = quiet({ storage: createStorage({ iafa_q: events.join('\n') }) });
  await page.settle();
  expect(names(page).map((name) => name.slice(0, 1))).toEqual(['x', 'y', 'z']);
  expect(page.collector.requests).toHaveLength(2);
});

it('what is stored is taken over by one of two tabs that open together', async () => {
  const storage = createStorage({ iafa_q: '{"n":"Stored","i":"1"}' });
  const tabs = [quiet({ storage }), quiet({ storage })];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tabs.flatMap(names)).toEqual(['Stored']);
});
