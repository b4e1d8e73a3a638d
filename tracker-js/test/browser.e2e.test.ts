import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildScript } from '../build.mjs';
import { openSite, type Site } from './support/site';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const HAS_CHROMIUM = existsSync(CHROMIUM);
const TRIALS = 15;

if (!HAS_CHROMIUM) {
  console.warn(`browser tests skipped: no ${CHROMIUM}; install the Debian package "chromium" or set CHROMIUM`);
}

function pages(collectorOrigin: string): Record<string, string> {
  const tag = `<script defer src="${collectorOrigin}/tracker.js" data-key="pk_test"></script>`;
  return {
    '/': `<title>Home</title>${tag}<a href="/product">on</a>`,
    '/product': `<title>Product</title>${tag}<a href="/done">on</a>`,
    '/done': `<title>Done</title>${tag}`,
    '/stub': `<title>Stub</title><script>
      window.iafa = window.iafa || {q: []};
      iafa.q.push(['identify', 'u1'], ['track', 'Early', {a: 1}]);
      </script>${tag}`,
    '/exit': `<title>Exit</title>${tag}<script>
      addEventListener('load', () => addEventListener('pagehide', () => iafa.track('Bye')));
      </script><a href="/plain">off</a>`,
    '/plain': '<title>Plain</title>',
    '/consent': `<title>Consent</title>${tag.replace('data-key', 'data-consent="required" data-key')}`,
    '/next': `<title>Next</title>${tag.replace('data-key', 'data-exit="next" data-key')}`,
    '/robots': `<title>Robots</title>${tag.replace('data-key', 'data-test="off" data-key')}`,
    '/links': `<title>Links</title>${tag}<a href="http://other.test/x" target="_blank">out</a>
      <form id="f" action="/plain"><input name="email" value="a@b.example"><button data-iafa="Sent" data-iafa-plan="pro">go</button></form>`,
    '/restored': `<title>Restored</title>${tag}<script>
      addEventListener('load', () => addEventListener('pageshow', (event) => event.persisted && iafa.track('Restored')));
      </script>`,
  };
}

describe.skipIf(!HAS_CHROMIUM)(`in a real browser (needs the Debian package "chromium" or CHROMIUM)`, () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let pageErrors: string[];

  beforeAll(async () => {
    const isRoot = process.getuid?.() === 0;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--disable-dev-shm-usage', ...(isRoot ? ['--no-sandbox'] : [])],
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    site = await openSite(buildScript(), pages, 200);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  beforeEach(async () => {
    site.clear();
    pageErrors = [];
    page = await (await browser.newContext()).newPage();
    page.on('pageerror', (error) => pageErrors.push(error.message));
  });
  afterEach(async () => {
    await page.context().close();
    expect(pageErrors).toEqual([]);
    expect(site.received.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
  });

  it('one page load is exactly one POST, no preflight, and one request for the script', async () => {
    await page.goto(`${site.origin}/`);
    await page.waitForTimeout(2000);
    expect(site.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /tracker.js',
      'POST /e/pk_test',
    ]);
    const post = site.received[1];
    expect(post?.headers['content-type']).toBe('text/plain;charset=UTF-8');
    expect(post?.headers.cookie).toBeUndefined();
    expect(post?.bytes).toBeLessThanOrEqual(500);
    expect(post?.body?.e[0]).toMatchObject({ n: 'page_view', l: `${site.origin}/`, c: 'Home' });
  });

  it('three pages clicked through are three page views of one person in one session', async () => {
    await page.goto(`${site.origin}/`);
    for (const path of ['/product', '/done']) {
      await page.click('a');
      await page.waitForURL(`**${path}`);
    }
    const events = await site.waitForEvents(3);
    expect(events.map(({ n, c }) => [n, c])).toEqual([['page_view', 'Home'], ['page_view', 'Product'], ['page_view', 'Done']]);
    expect(events.map(({ r }) => r)).toEqual(['', `${site.origin}/`, `${site.origin}/product`]);
    expect(new Set(events.map(({ a }) => a)).size).toBe(1);
    expect(new Set(events.map(({ s }) => s)).size).toBe(1);
    expect(new Set(events.map(({ i }) => i)).size).toBe(3);
  });

  it('calls of the stub travel with the page view in one request', async () => {
    await page.goto(`${site.origin}/stub`);
    const events = await site.waitForEvents(3);
    expect(events.map(({ n, u }) => [n, u])).toEqual([['page_view', undefined], ['identify', 'u1'], ['Early', 'u1']]);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it(`an event made in pagehide arrives: ${TRIALS} navigations, ${TRIALS} closed tabs`, async () => {
    for (let trial = 0; trial < 2 * TRIALS; trial++) {
      const tab = await page.context().newPage();
      await tab.goto(`${site.origin}/exit`);
      await site.waitForEvents(2 * trial + 1);
      if (trial < TRIALS) await tab.click('a');
      else await tab.close();
      const names = (await site.waitForEvents(2 * trial + 2)).map(({ n }) => n);
      expect(names.slice(2 * trial)).toEqual(['page_view', 'Bye']);
      await tab.close();
    }
  });

  it('a page left before the batch delay has passed is counted', async () => {
    await page.goto(`${site.origin}/`, { waitUntil: 'commit' });
    await page.waitForFunction(() => '_iafa' in window);
    await page.goto(`${site.origin}/plain`);
    expect((await site.waitForEvents(1)).map(({ c }) => c)).toEqual(['Home']);
  });

  it.each([['ASCII', 'x', 5000], ['CJK', '漢', 1666]])(
    '200 KB in the queue arrive complete, each event once: %s',
    async (_, character, length) => {
      // Counted from the start: the browser tells of a request after the collector may have it.
      let attempts = 0;
      page.on('request', (request) => (attempts += Number(request.method() === 'POST')));
      await page.goto(`${site.origin}/`);
      await site.waitForEvents(1);
      await page.evaluate(
        ([text]) => {
          for (let number = 0; number < 40; number++) window.iafa?.track?.(`E${number}`, { text });
        },
        [character.repeat(length)] as const,
      );
      const events = await site.waitForEvents(41);
      await page.waitForTimeout(500);
      const names = new Set(events.slice(1).map(({ n }) => n));
      expect([...names].sort()).toEqual(Array.from({ length: 40 }, (_, number) => `E${number}`).sort());
      expect(new Set(site.events().map(({ i }) => i)).size).toBe(site.events().length);
      // A body that the browser refused, for want of keepalive quota, would have been tried twice.
      expect(attempts).toBe(site.received.filter(({ method }) => method === 'POST').length);
      for (const { bytes } of site.received) expect(bytes).toBeLessThanOrEqual(50_000);
    },
  );

  it('two bodies that wait when the page goes arrive, although one keepalive quota holds both', async () => {
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await page.evaluate(() => {
      for (let number = 0; number < 11; number++) window.iafa?.track?.(`E${number}`, { text: 'x'.repeat(5000) });
    });
    await page.goto(`${site.origin}/plain`);
    expect(await site.waitForEvents(12)).toHaveLength(12);
  });

  it('inside a single-page application each new path is one more POST', async () => {
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await page.evaluate(() => {
      history.pushState(null, '', '/product?x=1');
      history.replaceState(null, '', '/product?x=2');
    });
    await site.waitForEvents(2);
    await page.goBack();
    const events = await site.waitForEvents(3);
    await page.waitForTimeout(500);
    expect(events.map(({ l }) => l.slice(site.origin.length))).toEqual(['/', '/product?x=1', '/']);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it('a page restored from the back-forward cache counts again', async () => {
    await page.goto(`${site.origin}/restored`);
    await site.waitForEvents(1);
    await page.goto(`${site.origin}/plain`);
    await page.evaluate(() => {
      history.back();
    });
    const events = await site.waitForEvents(3);
    expect(events.map(({ n, v }) => [n, v])).toEqual([
      ['page_view', undefined],
      ['page_view', undefined],
      ['Restored', events[1]?.i],
    ]);
  });

  it('a path inside an application is one more POST that carries the engagement of the one before', async () => {
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await page.evaluate(() => { history.pushState(null, '', '/product'); });
    await site.waitForEvents(2);
    const posts = site.received.filter(({ method }) => method === 'POST');
    expect(posts.map(({ body }) => body?.e.map(({ n }) => n))).toEqual([['page_view'], ['engagement', 'page_view']]);
    expect(site.engagements()[0]).toMatchObject({ l: `${site.origin}/`, v: site.events()[0]?.i });
  });

  it('leaving a page adds one request at most, with data-exit="next" none', async () => {
    await page.goto(`${site.origin}/next`);
    await site.waitForEvents(1);
    await page.goto(`${site.origin}/plain`);
    await page.waitForTimeout(500);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(1);
    await page.goto(`${site.origin}/next`);
    await site.waitForEvents(2);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(2);
    expect(site.engagements()).toHaveLength(1);

    await page.goto(`${site.origin}/`);
    await site.waitForEvents(3);
    const before = site.received.filter(({ method }) => method === 'POST').length;
    await page.goto(`${site.origin}/plain`);
    await page.waitForTimeout(500);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(before + 1);
  });

  it('events made offline survive the page and arrive once when the network is back', async () => {
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await page.context().setOffline(true);
    await page.evaluate(() => {
      window.iafa?.track?.('Offline 1');
      window.iafa?.track?.('Offline 2');
    });
    await page.waitForTimeout(500);
    await page.goto('about:blank');
    // The page goes after the address has changed; it must not see the network come back.
    await page.waitForTimeout(500);
    await page.context().setOffline(false);
    await page.goto(`${site.origin}/plain`);
    await page.goto(`${site.origin}/product`);
    const events = await site.waitForEvents(4);
    await page.waitForTimeout(1500);
    expect(site.events().map(({ n }) => n)).toEqual(events.map(({ n }) => n));
    expect(events.map(({ n, c }) => [n, c]).slice(1)).toEqual([
      ['Offline 1', 'Home'], ['Offline 2', 'Home'], ['page_view', 'Product'],
    ]);
    expect(await page.evaluate(() => localStorage.iafa_q as unknown)).toBeUndefined();
  });

  it('offline and online again on the same page: each event arrives once', async () => {
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await page.context().setOffline(true);
    await page.evaluate(() => { window.iafa?.track?.('Offline'); });
    await page.waitForTimeout(700);
    await page.context().setOffline(false);
    await site.waitForEvents(2);
    await page.waitForTimeout(2500);
    expect(site.events().map(({ n }) => n)).toEqual(['page_view', 'Offline']);
  });

  it('before consent nothing is sent or stored; afterwards all of it; a refusal erases', async () => {
    await page.goto(`${site.origin}/consent`);
    await page.evaluate(() => { window.iafa?.identify?.('u1'); });
    await page.waitForTimeout(1000);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(0);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, '']);
    await page.evaluate(() => { window.iafa?.consent?.(true); });
    expect((await site.waitForEvents(2)).map(({ n, u }) => [n, u])).toEqual([['page_view', undefined], ['identify', 'u1']]);
    await page.evaluate(() => { window.iafa?.consent?.(false); });
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
    await page.goto(`${site.origin}/plain`);
    await page.waitForTimeout(500);
    expect(site.engagements()).toHaveLength(0);
  });

  it('links out, forms and tagged buttons tell themselves, without what was typed', async () => {
    await page.goto(`${site.origin}/links`);
    await site.waitForEvents(1);
    await page.route('http://other.test/**', (route) => route.fulfill({ body: 'elsewhere' }));
    await page.click('a');
    await page.click('button');
    const events = await site.waitForEvents(4);
    expect(events.slice(1).map(({ n, p }) => [n, p]).sort()).toEqual([
      ['Sent', { plan: 'pro' }],
      ['form_submit', { id: 'f', action: '/plain' }],
      ['outbound_click', { url: 'http://other.test/x' }],
    ]);
    expect(JSON.stringify(site.received)).not.toContain('a@b.example');
  });

  it('automated browsers do not count with data-test="off"', async () => {
    await page.goto(`${site.origin}/robots`);
    await page.waitForTimeout(1000);
    expect(site.received.filter(({ method }) => method === 'POST')).toHaveLength(0);
  });

  it('a hostile page sees no error, and what can be counted is counted', async () => {
    await page.addInitScript(() => {
      const raise = () => {
        throw new Error('broken by the page');
      };
      Object.defineProperty(window, 'localStorage', { get: raise });
      Object.defineProperty(navigator, 'onLine', { get: raise });
      addEventListener('DOMContentLoaded', () => {
        window.iafa?.before?.((event) => (event.n === 'Bad' ? raise() : event));
        const circular: Record<string, unknown> = {};
        circular.self = circular;
        window.iafa?.track?.('Circular', circular);
        window.iafa?.track?.('Bad');
        window.iafa?.track?.('Good');
      });
    });
    await page.goto(`${site.origin}/`);
    expect((await site.waitForEvents(2)).map(({ n }) => n)).toEqual(['page_view', 'Good']);
    await page.evaluate(() => {
      window.iafa?.set?.({ big: 1n });
      history.pushState(null, '', '/product');
      window.iafa?.set?.({ big: 1 });
    });
    await page.evaluate(() => { history.pushState(null, '', '/done'); });
    const events = await site.waitForEvents(3);
    expect(events[2]?.l).toBe(`${site.origin}/done`);
    expect(new Set(events.map(({ a, s }) => `${a} ${s}`)).size).toBe(1);
  });

  it('two tabs share person and session', async () => {
    const tab = await page.context().newPage();
    await page.goto(`${site.origin}/`);
    await site.waitForEvents(1);
    await tab.goto(`${site.origin}/product`);
    await site.waitForEvents(2);
    await Promise.all([page, tab].map((each) => each.evaluate(() => { window.iafa?.track?.('Later'); })));
    const events = await site.waitForEvents(4);
    const later = events.filter(({ n }) => n === 'Later');
    expect(later).toHaveLength(2);
    expect(new Set(later.map(({ a, s }) => `${a} ${s}`)).size).toBe(1);
  });
});

describe.skipIf(!HAS_CHROMIUM)('web vitals in a real browser', () => {
  it('are told once, in the request of the exit, with the engagement', async () => {
    const isRoot = process.getuid?.() === 0;
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--disable-dev-shm-usage', ...(isRoot ? ['--no-sandbox'] : [])] });
    const site = await openSite(buildScript('t.vitals'), pages);
    try {
      const page = await browser.newPage();
      await page.goto(`${site.origin}/links`);
      await site.waitForEvents(1);
      // The browser tells of an interaction when it likes, and not at all of one that was shown within 16 ms.
      await page.evaluate(() => {
        addEventListener('pointerdown', () => {
          for (const until = performance.now() + 100; performance.now() < until;);
        });
        new PerformanceObserver((list) => {
          if (list.getEntries().some((entry) => (entry as PerformanceEntry & { interactionId: number }).interactionId)) document.title = 'told';
        }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
      });
      await page.click('input');
      await page.waitForFunction(() => document.title === 'told');
      await page.goto(`${site.origin}/plain`);
      const [, vitals] = await site.waitForEvents(2);
      expect(vitals?.n).toBe('web_vitals');
      for (const name of ['lcp', 'fcp', 'ttfb', 'cls', 'inp']) expect(vitals?.p?.[name], name).toEqual(expect.any(Number));
      expect(vitals?.p?.lcp).toBeGreaterThan(0);
      const posts = site.received.filter(({ method }) => method === 'POST');
      expect(posts.map(({ body }) => body?.e.map(({ n }) => n))).toEqual([['page_view'], ['engagement', 'web_vitals']]);
    } finally {
      await browser.close();
      await site.close();
    }
  });
});
