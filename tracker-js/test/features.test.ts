import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ids } from '../src/identity';
import { createStorage, openPage, type Page, type PageOptions } from './support/page';

const NOW_MS = Date.parse('2026-11-20T10:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const quiet = (attributes: Record<string, string> = {}, options: PageOptions = {}) =>
  openPage({ ...options, attributes: { auto: 'off', ...attributes } });
const told = (page: Page) => page.collector.seen().map(({ n, p }) => [n, p]);
const names = (page: Page) => page.collector.seen().map(({ n }) => n);

function click(page: Page, selector: string): void {
  const element = page.window.document.querySelector(selector);
  element?.addEventListener('click', (event) => { event.preventDefault(); });
  element?.dispatchEvent(new page.window.MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));
}

describe('links', () => {
  it.each<[string, string, unknown[]]>([
    ['another host', 'https://other.example/a?b=1', ['outbound_click', { url: 'https://other.example/a?b=1' }]],
    ['a file, here', '/price.PDF?x=1', ['file_download', { url: 'https://shop.example/price.PDF?x=1' }]],
    ['a file, elsewhere', 'https://cdn.example/a.zip', ['file_download', { url: 'https://cdn.example/a.zip' }]],
  ])('%s', async (_, href, expected) => {
    const page = quiet({}, { html: `<a href="${href}"><b>go</b></a>` });
    click(page, 'b');
    await page.settle();
    expect(told(page)).toEqual([expected]);
  });

  it.each(['/next', 'mailto:a@b.example', 'tel:1', 'javascript:void 0', '#top'])('%s is neither', async (href) => {
    const page = quiet({}, { html: `<a href="${href}">go</a>` });
    click(page, 'a');
    await page.settle();
    expect(told(page)).toEqual([]);
  });
});

describe('tagged elements and forms', () => {
  it('a click on a tagged element or inside it is an event with its properties', async () => {
    const page = quiet({}, { html: '<button data-iafa="Plan Chosen" data-iafa-plan="pro" data-iafa-per-seat="9"><i>x</i></button>' });
    click(page, 'i');
    await page.settle();
    expect(told(page)).toEqual([['Plan Chosen', { plan: 'pro', 'per-seat': '9' }]]);
  });

  it('a form tells its id, name and action, never a value; a field called "id" does not hide the id', async () => {
    const html = '<form id="f1" name="signup" action="/join"><input name="id" value="secret"><input name="email" value="a@b.example"></form>';
    const page = quiet({}, { html });
    const form = page.window.document.querySelector('form');
    form?.dispatchEvent(new page.window.Event('submit', { bubbles: true, cancelable: true }));
    await page.settle();
    expect(told(page)).toEqual([['form_submit', { id: 'f1', name: 'signup', action: '/join' }]]);
    expect(page.collector.requests[0]?.text).not.toMatch(/secret|a@b/);
  });

  it('a tagged form is told when it is sent, not at each click inside', async () => {
    const page = quiet({}, { html: '<form data-iafa="Joined" data-iafa-from="footer"><input></form>' });
    click(page, 'input');
    const form = page.window.document.querySelector('form');
    form?.dispatchEvent(new page.window.Event('submit', { bubbles: true }));
    await page.settle();
    expect(names(page)).toEqual(['form_submit', 'Joined']);
    expect(page.collector.seen()[1]?.p).toEqual({ from: 'footer' });
  });
});

describe('engagement', () => {
  it('travels with the next view of an application, with the address and the view it belongs to', async () => {
    const page = openPage();
    await vi.advanceTimersByTimeAsync(5000);
    page.window.history.pushState(null, '', '/next');
    await page.settle();
    expect(page.collector.requests).toHaveLength(2);
    const [view, engagement, next] = page.collector.seen();
    expect(engagement).toMatchObject({ n: 'engagement', v: view?.i, l: 'https://shop.example/', p: { engaged_ms: 5000 } });
    expect(next?.n).toBe('page_view');
  });

  it('leaves when the page is hidden, counts only the time in front, and is told once', async () => {
    const page = openPage();
    await vi.advanceTimersByTimeAsync(2000);
    page.setHidden(true);
    page.dispatch('pagehide');
    await vi.advanceTimersByTimeAsync(60_000);
    page.setHidden(false);
    await vi.advanceTimersByTimeAsync(1000);
    page.setHidden(true);
    await page.settle();
    const engaged = page.collector.seen().filter(({ n }) => n === 'engagement');
    expect(engaged.map(({ p }) => p?.engaged_ms)).toEqual([2000, 1000]);
  });

  it('knows how far down somebody came', async () => {
    const page = openPage();
    Object.defineProperty(page.window.document.documentElement, 'scrollHeight', { value: 4000 });
    const scroll = (y: number) => {
      Object.defineProperty(page.window, 'scrollY', { value: y, configurable: true });
      page.window.document.dispatchEvent(new page.window.Event('scroll'));
    };
    scroll(2232);
    scroll(0);
    page.setHidden(true);
    await page.settle();
    expect(page.collector.seen().at(-1)?.p?.scroll_percent).toBe(75);
  });
});

describe('properties and hook', () => {
  it('set holds for later events, null removes one, reset removes all, data-tag is a property', async () => {
    const page = quiet({ tag: 'B' });
    page.iafa.set({ plan: 'pro', seats: 3 });
    page.iafa.track('One', { seats: 4 });
    page.iafa.set({ plan: null });
    page.iafa.track('Two');
    page.iafa.reset();
    page.iafa.track('Three');
    await page.settle();
    expect(page.collector.seen().map(({ p }) => p)).toEqual([
      { tag: 'B', plan: 'pro', seats: 4 },
      { tag: 'B', plan: null, seats: 3 },
      { tag: 'B' },
    ]);
  });

  it('the hook changes an event, drops one with null, and loses one by throwing', async () => {
    const page = quiet();
    page.iafa.before((event) => {
      if (event.n === 'Drop') return null;
      if (event.n === 'Throw') throw new Error('hook');
      return { ...event, l: 'https://shop.example/masked' };
    });
    for (const name of ['Keep', 'Drop', 'Throw', 'Last']) page.iafa.track(name);
    await page.settle();
    expect(page.collector.seen().map(({ n, l }) => [n, l])).toEqual([
      ['Keep', 'https://shop.example/masked'], ['Last', 'https://shop.example/masked'],
    ]);
    expect(page.errors).toEqual([]);
  });
});

describe('people', () => {
  it('group and alias are events with their ids', async () => {
    const page = quiet();
    page.iafa.group('acme', { seats: 5 });
    page.iafa.alias('u1');
    page.iafa.alias('u1', 'old-7');
    page.iafa.group('');
    await page.settle();
    expect(page.collector.seen().map(({ n, u, p }) => [n, u, p])).toEqual([
      ['group', undefined, { seats: 5, group_id: 'acme' }], ['alias', 'u1', {}], ['alias', 'u1', { previous_id: 'old-7' }],
    ]);
  });

  it('the globals name the user or the anonymous id and the session; ready gives the ids', async () => {
    const page = openPage();
    const ready = vi.fn();
    page.iafa.ready(ready);
    await page.settle();
    const [view] = page.collector.seen();
    expect(page.window._iafa).toBe(page.window.iafa);
    expect([page.iafa.userId, page.iafa.sessionId]).toEqual([view?.a, view?.s]);
    const [[ids]] = ready.mock.calls as [[Ids]];
    expect([ids.anonymousId, ids.userId, ids.sessionId]).toEqual([view?.a, view?.a, view?.s]);
    page.iafa.identify('u1');
    expect(page.iafa.userId).toBe('u1');
  });
});

describe('consent', () => {
  it('required: nothing is sent, stored or made before; then all that waited goes, with its time and address', async () => {
    const makeId = vi.fn();
    const page = openPage({
      attributes: { consent: 'required' },
      prepare: ({ crypto }) => {
        const original = crypto.getRandomValues.bind(crypto);
        Object.defineProperty(crypto, 'getRandomValues', { value: (array: Uint32Array<ArrayBuffer>) => (makeId(), original(array)) });
      },
    });
    page.iafa.identify('u1');
    await vi.advanceTimersByTimeAsync(5000);
    page.window.history.pushState(null, '', '/next');
    await page.iafa.flush();
    page.setHidden(true);
    page.setHidden(false);
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
    expect(page.window.localStorage).toHaveLength(0);
    expect(makeId).not.toHaveBeenCalled();

    page.iafa.consent(true);
    await page.settle();
    expect(page.collector.requests).toHaveLength(1);
    expect(page.collector.seen().slice(0, 2).map(({ n, t, u }) => [n, t, u])).toEqual([
      ['page_view', NOW_MS, undefined], ['identify', NOW_MS, 'u1'],
    ]);
    expect(page.window.localStorage.iafa_u).toBe('u1');
  });

  it('required: what an earlier page stored is neither sent nor lost before the answer', async () => {
    const storage = createStorage({ iafa_q: '{"n":"Stored"}' });
    const page = quiet({ consent: 'required', exit: 'next' }, { storage });
    await page.settle();
    page.setHidden(true);
    page.setHidden(false);
    expect(page.collector.requests).toHaveLength(0);
    page.iafa.consent(true);
    page.iafa.track('Now');
    await page.settle();
    expect(names(page)).toEqual(['Stored', 'Now']);
  });

  it('refused: queue, ids and storage are erased and it stays silent', async () => {
    const page = openPage();
    await page.settle();
    page.iafa.identify('u1');
    page.iafa.consent(false);
    page.iafa.track('Never');
    page.setHidden(true);
    await page.settle();
    expect(names(page)).toEqual(['page_view']);
    expect(page.window.localStorage).toHaveLength(0);
    page.iafa.consent(true);
    page.iafa.track('Again');
    await vi.advanceTimersByTimeAsync(0);
    expect(names(page)).toEqual(['page_view', 'Again']);
  });

  it('an answer given while the page is prerendered holds when it is shown', async () => {
    const pages = [true, false].map((isGiven) => {
      const page = openPage({ isPrerendering: true, attributes: { consent: 'required' } });
      page.iafa.consent(isGiven);
      page.activate();
      return page;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(pages.map(names)).toEqual([['page_view'], []]);
    expect(pages[1]?.window.localStorage).toHaveLength(0);
  });

  it('at most 100 calls wait', async () => {
    const page = quiet({ consent: 'required' });
    for (let number = 0; number < 130; number++) page.iafa.track(`E${number}`);
    page.iafa.consent(true);
    await page.settle();
    expect(names(page)).toHaveLength(100);
  });

  it('cookieless until consent: no id, nothing stored; afterwards both', async () => {
    const page = openPage({ attributes: { consent: 'cookieless' } });
    page.iafa.identify('u1', { email: 'a@b.example' });
    await page.settle();
    const [view] = page.collector.seen();
    expect([view?.n, view?.a, view?.s, view?.u]).toEqual(['page_view', undefined, undefined, undefined]);
    expect(names(page)).toEqual(['page_view']);
    expect(page.window.localStorage).toHaveLength(0);
    page.iafa.consent(true);
    page.iafa.track('Known');
    await page.settle();
    expect(page.collector.seen()[1]?.a).toMatch(/^\d+$/);
    expect(page.window.localStorage.iafa_a).toBe(page.collector.seen()[1]?.a);
  });

  it('cookieless: an opt-out is still kept, and known on the next page', async () => {
    const storage = createStorage();
    const page = quiet({ cookieless: '' }, { storage });
    page.iafa.optOut();
    expect(storage.iafa_off).toBe('1');
    const next = openPage({ storage, attributes: { cookieless: '' } });
    await next.settle();
    expect(next.collector.requests).toHaveLength(0);
    next.iafa.optIn();
    next.iafa.track('Back');
    await next.settle();
    expect(next.collector.seen().map(({ n, a }) => [n, a])).toEqual([['Back', undefined]]);
    expect(storage).toHaveLength(0);
  });
});

describe('what is not counted, and why', () => {
  const debug = 'http://localhost/admin/users?iafa_debug=1';
  it.each<[string, PageOptions]>([
    ['off', { storage: createStorage({ iafa_off: '1' }) }],
    ['dnt', { navigator: { globalPrivacyControl: true } }],
    ['dnt', { navigator: { doNotTrack: '1' } }],
    ['local', { attributes: { local: 'off' } }],
    ['test', { attributes: { test: 'off' }, navigator: { webdriver: true } }],
    ['domains', { attributes: { domains: 'shop.example,*.shop.example' } }],
    ['exclude', { attributes: { exclude: '/cart,/admin/*' } }],
    ['sample', { attributes: { sample: '0.5' }, storage: createStorage({ iafa_a: '123999999' }) }],
    ['sample', { attributes: { sample: '0' } }],
  ])('debug mode says %s, and nothing is sent', async (reason, options) => {
    const page = openPage({ url: debug, ...options });
    await page.settle();
    expect(page.collector.requests).toHaveLength(0);
    expect(page.warnings).toEqual([expect.stringContaining(`iafa ${reason} `)]);
  });

  it('debug mode also names hook, size, cookieless, consent and success', async () => {
    const page = openPage({ url: debug, attributes: { auto: 'off' } });
    page.iafa.before((event) => (event.n === 'Drop' ? null : event));
    page.iafa.track('Drop');
    page.iafa.track('Large', { text: 'x'.repeat(30_000) });
    page.iafa.track('Good');
    page.iafa.consent(false);
    page.iafa.track('Late');
    const other = openPage({ url: debug, attributes: { auto: 'off', cookieless: '' } });
    other.iafa.identify('u1');
    expect([...page.warnings, ...other.warnings].map((line) => line.replace(' [object Object]', ''))).toEqual([
      'iafa before', 'iafa size', 'iafa queued', 'iafa consent', 'iafa cookieless',
    ]);
    await page.settle();
  });

  it('without debug mode nothing is printed', async () => {
    const page = openPage({ navigator: { globalPrivacyControl: true } });
    await page.settle();
    expect(page.warnings).toEqual([]);
  });

  it.each([
    ['domains', { domains: 'other.example, shop.example'.replace(' ', '') }],
    ['domains with *', { domains: '*.example' }],
    ['exclude of another path', { exclude: '/admin/*' }],
    ['sample', { sample: '1' }],
  ])('%s lets others through', async (_, attributes) => {
    const page = openPage({ attributes });
    await page.settle();
    expect(names(page)).toEqual(['page_view']);
  });

  it('sampling keeps a person in or out as a whole, near the rate, and events carry it', async () => {
    let kept = 0;
    for (let person = 0; person < 60; person++) {
      const storage = createStorage();
      const first = quiet({ sample: '0.5' }, { storage });
      const second = quiet({ sample: '0.5' }, { storage });
      for (const page of [first, second]) page.iafa.track('One');
      await vi.advanceTimersByTimeAsync(300);
      const counts = [first, second].map((page) => page.collector.seen().length);
      expect(counts[0]).toBe(counts[1]);
      kept += counts[0] ?? 0;
      for (const event of first.collector.seen()) expect(event.x).toBe(0.5);
    }
    // 60 throws of a coin: outside of this once in a million runs.
    expect(kept).toBeGreaterThan(11);
    expect(kept).toBeLessThan(49);
  }, 60_000);
});

describe('pages', () => {
  it('data-hash: another hash is another page; without it not', async () => {
    const [plain, hashed] = [openPage(), openPage({ attributes: { hash: '' } })];
    for (const page of [plain, hashed]) {
      page.window.history.pushState(null, '', '#/cart');
      await page.settle();
    }
    expect(names(plain)).toEqual(['page_view']);
    expect(names(hashed)).toEqual(['page_view', 'engagement', 'page_view']);
  });

  it('data-404 marks a page that was not found', async () => {
    const page = openPage({ attributes: { 404: '' } });
    await page.settle();
    expect(names(page)).toEqual(['page_view', 'not_found']);
  });

  it('data-api-key is another name of data-key', async () => {
    const page = openPage({ attributes: { key: null, 'api-key': 'pk_other' } });
    await page.settle();
    expect(page.collector.requests[0]?.url).toBe('https://collect.example/e/pk_other');
  });

  it('init starts a page whose tag has no key, a second one warns', async () => {
    const page = openPage({ attributes: { key: null } });
    page.iafa.track('Early');
    page.iafa.init({ key: 'pk_init', host: 'https://in.example/' });
    page.iafa.init({ key: 'pk_two' });
    await page.settle();
    expect(page.collector.requests.map(({ url }) => url)).toEqual(['https://in.example/e/pk_init']);
    expect(names(page)).toEqual(['page_view', 'Early']);
    expect(page.warnings).toEqual([expect.stringContaining('refused')]);
  });

  it('data-exit="next": what is unsent when the page goes travels with the next page view', async () => {
    const storage = createStorage();
    const attributes = { exit: 'next' };
    const page = openPage({ storage, attributes });
    await page.settle();
    page.setHidden(true);
    page.dispatch('pagehide');
    await page.settle();
    expect(page.collector.requests).toHaveLength(1);
    const next = openPage({ storage, attributes });
    await next.settle();
    expect(next.collector.requests).toHaveLength(1);
    expect(names(next)).toEqual(['engagement', 'page_view']);
  });

  it('what is made offline survives the page and goes once, when the network is back', async () => {
    const storage = createStorage();
    const page = quiet({}, { storage, navigator: { onLine: false } });
    page.collector.reactions.push('no network');
    page.iafa.track('One');
    await page.settle();
    page.iafa.track('Two');
    page.dispatch('pagehide');
    expect((storage.iafa_q as string).split('\n')).toHaveLength(2);

    const next = quiet({}, { storage, navigator: { onLine: true } });
    next.window.dispatchEvent(new next.window.Event('online'));
    await next.settle();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names(next)).toEqual(['One', 'Two']);
    expect(storage.iafa_q).toBeUndefined();
  });
});
