import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { COLLECTOR_ORIGIN, KEY, openPage, type Page } from './support/page';

const NOW_MS = Date.parse('2026-11-20T10:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const views = (page: Page) => page.collector.seen().filter(({ n }) => n !== 'engagement');
const paths = (page: Page) => views(page).map((event) => new URL(event.l).pathname);

describe('the first page view', () => {
  it('is one request with the documented shape', async () => {
    const page = openPage({
      url: 'https://shop.example/cart?utm_source=x#top',
      referrer: 'https://search.example/',
      navigator: { language: 'de-AT' },
    });
    await page.settle();

    expect(page.collector.requests).toHaveLength(1);
    const [request] = page.collector.requests;
    expect(request?.url).toBe(`${COLLECTOR_ORIGIN}/e/${KEY}`);
    expect({ ...request?.init, body: undefined }).toEqual({ method: 'POST', keepalive: true, credentials: 'omit' });
    const id = expect.stringMatching(/^\d{20,40}$/) as string;
    expect(request?.body).toEqual({
      t: NOW_MS + 300,
      d: 0,
      e: [
        {
          a: id,
          i: id,
          n: 'page_view',
          t: NOW_MS,
          s: id,
          l: 'https://shop.example/cart?utm_source=x#top',
          r: 'https://search.example/',
          c: 'Shop',
          w: '0x0',
          g: 'de-AT',
          z: Intl.DateTimeFormat().resolvedOptions().timeZone,
          p: {},
          x: 1,
        },
      ],
    });
    expect(request?.bytes).toBeLessThanOrEqual(500);
  });

  it('waits for calls of the next 300 ms and no longer', async () => {
    const page = openPage();
    await vi.advanceTimersByTimeAsync(299);
    page.iafa.track('Seen');
    expect(page.collector.requests).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(page.collector.requests.map(({ body }) => body.e.map((event) => event.n))).toEqual([['page_view', 'Seen']]);
  });

  it('of a tab opened in the background counts when the tab is first shown', async () => {
    const page = openPage({ isHidden: true });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.collector.requests).toHaveLength(0);
    page.setHidden(false);
    page.setHidden(true);
    page.setHidden(false);
    await page.settle();
    expect(views(page).map(({ n, t }) => [n, t])).toEqual([['page_view', NOW_MS + 60_000]]);
  });

  it('of a prerendered page counts at activation, before the calls held until then', async () => {
    const page = openPage({ isPrerendering: true });
    page.iafa.track('Early');
    await expect(page.iafa.flush()).resolves.toBeUndefined();
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
    expect(page.window.localStorage).toHaveLength(0);

    page.activate();
    await page.settle();
    expect(page.collector.seen().map((event) => event.n)).toEqual(['page_view', 'Early']);
  });

  it('of a prerendered page that is never activated does not count', async () => {
    const page = openPage({ isPrerendering: true });
    page.dispatch('pagehide');
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
  });
});

describe('inside a single-page application', () => {
  it.each<[string, (page: Page) => void, string[]]>([
    ['pushState to a new path counts', ({ window }) => { window.history.pushState(null, '', '/a'); }, ['/', '/a']],
    ['replaceState to a new path counts', ({ window }) => { window.history.replaceState(null, '', '/a'); }, ['/', '/a']],
    ['a new query alone does not count', ({ window }) => { window.history.pushState(null, '', '/?q=1'); }, ['/']],
    ['a new hash alone does not count', ({ window }) => { window.history.pushState(null, '', '#a'); }, ['/']],
    ['state without an address does not count', ({ window }) => { window.history.pushState({ a: 1 }, ''); }, ['/']],
  ])('%s', async (_, act, expected) => {
    const page = openPage();
    act(page);
    await page.settle();
    expect(paths(page)).toEqual(expected);
  });

  it('going back counts', async () => {
    const page = openPage();
    page.window.history.pushState(null, '', '/a');
    page.window.history.back();
    await vi.advanceTimersByTimeAsync(1000);
    expect(paths(page)).toEqual(['/', '/a', '/']);
  });

  it('the referrer is the page that was left, for the view and the events after it', async () => {
    const page = openPage({ referrer: 'https://search.example/' });
    page.window.history.pushState(null, '', '/a?b=1');
    page.iafa.track('Seen');
    page.window.history.pushState(null, '', '/c');
    await page.settle();
    expect(views(page).map((event) => event.r)).toEqual([
      'https://search.example/',
      'https://shop.example/',
      'https://shop.example/',
      'https://shop.example/a?b=1',
    ]);
  });

  it('an error of history itself still reaches the page', () => {
    const { window } = openPage();
    expect(() => { window.history.pushState(null, '', 'https://other.example/'); }).toThrow();
  });

  it('a background tab that is redirected counts once, where it is when first shown', async () => {
    const page = openPage({ isHidden: true });
    page.window.history.replaceState(null, '', '/login');
    page.setHidden(false);
    await page.settle();
    expect(paths(page)).toEqual(['/login']);
  });
});

it('a page restored from the back-forward cache counts again, the first pageshow does not', async () => {
  const page = openPage();
  page.dispatch('pageshow', false);
  page.dispatch('pagehide', true);
  page.dispatch('pageshow', true);
  await page.settle();
  expect(views(page).map((event) => event.n)).toEqual(['page_view', 'page_view']);
});

it.each([
  ['data-auto="off" stops every automatic view', { auto: 'off' }, [] as string[]],
  ['data-spa="off" leaves the load and the back-forward cache', { spa: 'off' }, ['/', '/a']],
])('%s', async (_, attributes, expected) => {
  const page = openPage({ attributes });
  page.window.history.pushState(null, '', '/a');
  page.dispatch('pageshow', true);
  await page.settle();
  expect(paths(page)).toEqual(expected);
});

it('later events name the page view they belong to', async () => {
  const page = openPage();
  page.iafa.track('One');
  page.iafa.page('Step 2', { step: 2 });
  page.iafa.track('Two');
  await page.settle();
  const [first, one, second, two] = views(page);
  expect(second?.p).toEqual({ step: 2, name: 'Step 2' });
  expect([first?.v, one?.v, second?.v, two?.v]).toEqual([undefined, first?.i, undefined, second?.i]);
});
