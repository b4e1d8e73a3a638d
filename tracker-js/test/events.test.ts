import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../src/script-tag';
import { createStorage, openPage, type Page } from './support/page';

const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

const names = (page: Page) => page.collector.seen().map((event) => event.n);
const quiet = { attributes: { auto: 'off' } };

describe('calls made before the script has loaded', () => {
  it('replay in order, after the first page view and in its request', async () => {
    const q: Call[] = [['track', 'One', { a: 1 }], ['identify', 'u1'], ['track', 'Two']];
    const page = openPage({ stub: { q } });
    await page.settle();
    expect(page.collector.requests).toHaveLength(1);
    expect(page.collector.seen().map(({ n, u, p }) => [n, u, p])).toEqual([
      ['page_view', undefined, {}],
      ['One', undefined, { a: 1 }],
      ['identify', 'u1', {}],
      ['Two', 'u1', {}],
    ]);
  });

  it('q.push goes on working, and so does an old reference to the stub', async () => {
    const stub = { q: [] as Call[] };
    const page = openPage({ stub, ...quiet });
    stub.q.push(['track', 'Through the old reference']);
    page.iafa.q.push(['track', 'Through the window']);
    await page.settle();
    expect(names(page)).toEqual(['Through the old reference', 'Through the window']);
  });

  it('a broken call does not stop the ones behind it', async () => {
    const q = [['noSuchMethod'], null, ['track', 'Good']] as unknown as Call[];
    const page = openPage({ stub: { q }, ...quiet });
    await page.settle();
    expect(names(page)).toEqual(['Good']);
    expect(page.warnings).toHaveLength(2);
  });
});

describe('installation', () => {
  it('a second copy of the script changes nothing and is refused', async () => {
    const page = openPage();
    page.runScript();
    page.iafa.track('One');
    await page.settle();
    expect(names(page)).toEqual(['page_view', 'One']);
    expect(page.warnings).toEqual([expect.stringContaining('refused')]);
  });

  it('without data-key nothing is sent and every method can still be called', async () => {
    const page = openPage({ attributes: { key: null } });
    for (let count = 0; count < 500; count++) page.iafa.track('One');
    await page.iafa.flush();
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
  });

  it.each([
    ['the origin of the script by default', undefined, 'https://collect.example/e/pk_test'],
    ['another origin', 'https://in.example', 'https://in.example/e/pk_test'],
    ['slashes at the end are cut', 'https://in.example//', 'https://in.example/e/pk_test'],
    ['a path of the page itself', '/stats', '/stats/e/pk_test'],
    ['the page itself', '', '/e/pk_test'],
  ])('collector: %s', async (_, host, url) => {
    const page = openPage({ attributes: { host: host ?? null } });
    await page.settle();
    expect(page.collector.requests[0]?.url).toBe(url);
  });
});

describe('track', () => {
  it.each<[string, unknown]>([
    ['empty', ''], ['201 characters', 'x'.repeat(201)], ['null', null], ['undefined', undefined],
    ['an object', { name: 'x' }],
  ])('refuses a name that is %s', async (_, name) => {
    const page = openPage(quiet);
    page.iafa.track(name as string);
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
    expect(page.warnings).toEqual([expect.stringContaining('refused')]);
  });

  it('takes a name of 200 characters', async () => {
    const page = openPage(quiet);
    page.iafa.track('x'.repeat(200));
    await page.settle();
    expect(names(page)).toHaveLength(1);
  });

  it('keeps properties as they were at the call', async () => {
    const page = openPage(quiet);
    const properties = { items: [1] };
    page.iafa.track('One', properties);
    properties.items.push(2);
    await page.settle();
    expect(page.collector.seen()[0]?.p).toEqual({ items: [1] });
  });

  it.each<[string, unknown, unknown]>([
    ['a string is no object', 'label', {}],
    ['a function is no object', () => 1, {}],
    ['null is empty', null, {}],
    ['what JSON cannot hold is left out', { a: undefined, b: () => 1, c: 1 }, { c: 1 }],
  ])('properties: %s', async (_, properties, expected) => {
    const page = openPage(quiet);
    page.iafa.track('One', properties as Record<string, unknown>);
    await page.settle();
    expect(page.collector.seen()[0]?.p).toEqual(expected);
  });
});

describe('identity', () => {
  it('is fixed in each event when it is made: three people in one go', async () => {
    const page = openPage(quiet);
    page.iafa.track('Before');
    page.iafa.identify('u1', { plan: 'pro' });
    page.iafa.track('As user');
    page.iafa.reset();
    page.iafa.track('After');
    await page.settle();

    const [before, identify, asUser, after] = page.collector.seen();
    expect(page.collector.seen().map(({ u }) => u)).toEqual([undefined, 'u1', 'u1', undefined]);
    expect(identify).toMatchObject({ n: 'identify', p: { plan: 'pro' }, a: before?.a });
    expect(asUser?.a).toBe(before?.a);
    expect(after?.a).not.toBe(before?.a);
    expect(after?.s).not.toBe(before?.s);
  });

  it('reset leaves nothing that joins the next person with the last', async () => {
    const page = openPage();
    page.iafa.reset();
    page.iafa.track('Next');
    await page.settle();
    const [view, next] = page.collector.seen();
    expect(next?.v).toBeUndefined();
    expect([next?.a, next?.s]).not.toContain(view?.a);
  });

  it('lasts across pages of one browser, and identify in one tab holds in the other', async () => {
    const storage = createStorage();
    const first = openPage({ storage });
    const second = openPage({ storage });
    first.iafa.identify(42);
    second.iafa.track('One');
    await second.settle();
    const [view, one] = second.collector.seen();
    expect(view?.a).toBe(first.collector.seen()[0]?.a);
    expect(one?.u).toBe('42');
  });

  it.each<[string, unknown]>([
    ['""', ''], ['blank', '  '], ['null', null], ['undefined', undefined], ['"null"', 'null'], ['"undefined"', 'undefined'],
    ['"None"', 'None'], ['NaN', NaN], ['"Anonymous"', 'Anonymous'], ['guest', ' guest '], ['0', 0], ['-1', -1],
    ['an object', {}], ['"[object Object]"', '[object Object]'],
    ['zero UUID', '00000000-0000-0000-0000-000000000000'], ['zeros', '0000'], ['201 characters', 'x'.repeat(201)],
  ])('refuses the placeholder %s and keeps who was known', async (_, id) => {
    const page = openPage(quiet);
    page.iafa.identify('u1');
    page.iafa.identify(id as string);
    page.iafa.track('One');
    await page.settle();
    expect(page.collector.seen().map(({ n, u }) => [n, u])).toEqual([['identify', 'u1'], ['One', 'u1']]);
    expect(page.warnings).toEqual([expect.stringContaining('refused')]);
  });

  it.each(['anonymous-7', '10', 'null-island', '0x1', 'guestbook'])('takes the id %s', async (id) => {
    const page = openPage(quiet);
    page.iafa.identify(id);
    await page.settle();
    expect(page.collector.seen()[0]?.u).toBe(id);
  });

  it('an anonymous id that somebody altered stays a text in the body', async () => {
    const page = openPage({ storage: createStorage({ iafa_a: '","e":[],"x":"' }) });
    await page.settle();
    expect(page.collector.seen().map(({ a }) => a)).toEqual(['","e":[],"x":"']);
  });
});

describe('session', () => {
  it.each([
    ['59:59 without an event keeps it', 60 * MINUTE_MS - 1000, true],
    ['60:00 keeps it', 60 * MINUTE_MS, true],
    ['60:01 begins a new one', 60 * MINUTE_MS + 1000, false],
  ])('%s', async (_, silenceMs, isSame) => {
    const page = openPage();
    await vi.advanceTimersByTimeAsync(silenceMs);
    page.iafa.track('Back');
    await page.settle();
    const [view, back] = page.collector.seen();
    expect(back?.s === view?.s).toBe(isSame);
  });

  it('goes on as long as each silence is short', async () => {
    const page = openPage();
    for (let count = 0; count < 4; count++) {
      await vi.advanceTimersByTimeAsync(50 * MINUTE_MS);
      page.iafa.track('Alive');
    }
    await page.settle();
    expect(new Set(page.collector.seen().map(({ s }) => s)).size).toBe(1);
  });

  it('is shared by tabs: an event in one keeps it alive for the other', async () => {
    const storage = createStorage();
    const first = openPage({ storage });
    await vi.advanceTimersByTimeAsync(40 * MINUTE_MS);
    const second = openPage({ storage });
    await vi.advanceTimersByTimeAsync(40 * MINUTE_MS);
    first.iafa.track('One');
    await first.settle();
    const sessions = [...first.collector.seen(), ...second.collector.seen()].map(({ s }) => s);
    expect(sessions).toHaveLength(3);
    expect(new Set(sessions).size).toBe(1);
  });

  it.each(['', 'x', 'x.y', `${'a'.repeat(32)}.`, `${'a'.repeat(32)}.x`, 'a'.repeat(32)])(
    'begins anew from the broken record %j',
    async (record) => {
      const page = openPage({ storage: createStorage({ iafa_s: record }) });
      await page.settle();
      expect(page.collector.seen()[0]?.s).toMatch(/^\d{20,40}$/);
      expect(page.collector.seen()[0]?.s).not.toBe('a'.repeat(32));
    },
  );
});
