import type { DOMWindow } from 'jsdom';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Iafa } from '../src/script-tag';
import { openPage, type PageOptions } from './support/page';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

function raise(): never {
  throw new Error('broken by the page');
}

function replace(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true });
}

const BROKEN_PAGES: [string, PageOptions][] = [
  ['storage is blocked', { storage: 'blocked' }],
  ['storage is full', { storage: 'full' }],
  ['fetch is missing', { prepare: (window) => { replace(window, 'fetch', undefined); } }],
  ['fetch throws', { prepare: (window) => { replace(window, 'fetch', raise); } }],
  ['crypto is missing', { prepare: (window) => { replace(window, 'crypto', undefined); } }],
  ['the console throws', { prepare: (window) => { replace(window.console as object, 'warn', raise); replace(window, 'fetch', raise); } }],
  ['history is frozen', { prepare: (window) => { Object.freeze(window.history); } }],
  ['Intl throws', { prepare: (window) => { replace(window, 'Intl', { DateTimeFormat: raise }); } }],
  ['the stub is no object', { stub: 7 as never }],
  ['the queue of the stub is no list', { stub: { q: 7 as never } }],
  ['there is no script tag', { prepare: ({ document }) => { replace(document, 'currentScript', null); } }],
  ['the address of the script is broken', { prepare: ({ document }) => { document.currentScript?.setAttribute('src', ''); } }],
];

it.each(BROKEN_PAGES)('no error reaches the page when %s', async (_, options) => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  const page = openPage(options);
  // Where the script could not even begin, there are no methods to call.
  const { iafa } = page.window as { iafa?: Iafa };
  if (typeof iafa?.track === 'function') {
    page.iafa.track('One', { a: 1 });
    page.iafa.page();
    page.iafa.identify('u1');
    page.window.history.pushState(null, '', '/next');
    await page.iafa.flush();
    page.setHidden(true);
    page.dispatch('pagehide');
    page.dispatch('pageshow', true);
    page.iafa.reset();
    page.iafa.optOut();
    page.iafa.optIn();
  }
  await page.settle();
  expect(page.errors).toEqual([]);
  expect(unhandled).not.toHaveBeenCalled();
  process.off('unhandledRejection', unhandled);
});

it.each<[string, PageOptions]>([
  ['history is frozen', { prepare: (window) => { Object.freeze(window.history); } }],
  ['the title cannot be read once', {
    prepare: ({ document }) => {
      let reads = 0;
      Object.defineProperty(document, 'title', { get: () => (reads++ ? 'Shop' : raise()) });
    },
  }],
])('calls still arrive when automatic page views break: %s', async (_, options) => {
  const page = openPage(options);
  page.iafa.track('One');
  await page.settle();
  expect(page.collector.stored().map(({ n }) => n)).toContain('One');
});

const circular: Record<string, unknown> = {};
circular.self = circular;

it.each<[string, unknown]>([
  ['circular', circular],
  ['a BigInt', { a: 1n }],
  ['a getter that throws', { get a() { return raise(); } }],
  ['toJSON that throws', { a: { toJSON: raise } }],
  ['a proxy that throws', new Proxy({}, { ownKeys: raise })],
])('properties that JSON cannot hold lose that event only: %s', async (_, properties) => {
  const page = openPage({ attributes: { auto: 'off' } });
  page.iafa.track('Bad', properties as Record<string, unknown>);
  page.iafa.track('Good');
  await page.settle();
  expect(page.collector.stored().map(({ n }) => n)).toEqual(['Good']);
  expect(page.warnings).toEqual([expect.stringContaining('Error')]);
  expect(page.errors).toEqual([]);
});

it('a navigation of the page goes on when the tracker cannot count it', async () => {
  const page = openPage();
  page.iafa.set({ circular });
  expect(() => { page.window.history.pushState(null, '', '/next'); }).not.toThrow();
  await page.settle();
  expect(page.window.location.pathname).toBe('/next');
  expect(page.errors).toEqual([]);
});

it.each(['blocked', 'full'] as const)('with %s storage one page still is one person in one session', async (storage) => {
  const page = openPage({ storage });
  page.iafa.identify('u1');
  page.iafa.track('One');
  await page.settle();
  const events = page.collector.stored();
  expect(events.map(({ u }) => u)).toEqual([undefined, 'u1', 'u1']);
  expect(new Set(events.map(({ a }) => a)).size).toBe(1);
  expect(new Set(events.map(({ s }) => s)).size).toBe(1);
  expect(page.warnings).toEqual([]);
});

it('the only globals are iafa and its other name', () => {
  const names = (window: DOMWindow) => new Set(Object.getOwnPropertyNames(window));
  let before = new Set<string>();
  const page = openPage({ prepare: (window) => { before = names(window); } });
  expect([...names(page.window)].filter((name) => !before.has(name))).toEqual(['_iafa', 'iafa']);
});
