import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildScript } from '../build.mjs';
import { openSite, type Site } from './support/site';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const HAS_CHROMIUM = existsSync(CHROMIUM);
const TRIALS = 5;

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
    expect(events.map(({ r }) => r)).toEqual([undefined, `${site.origin}/`, `${site.origin}/product`]);
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
    await page.waitForFunction(() => 'iafa' in window && !Array.isArray(window.iafa.q));
    await page.goto(`${site.origin}/plain`);
    expect((await site.waitForEvents(1)).map(({ c }) => c)).toEqual(['Home']);
  });

  it.each([['ASCII', 'x', 5000], ['CJK', '漢', 1666]])(
    '200 KB in the queue arrive complete, each event once: %s',
    async (_, character, length) => {
      await page.goto(`${site.origin}/`);
      await site.waitForEvents(1);
      let attempts = 0;
      page.on('request', () => attempts++);
      await page.evaluate(
        ([text]) => {
          for (let number = 0; number < 40; number++) window.iafa?.track?.(`E${number}`, { text });
        },
        [character.repeat(length)] as const,
      );
      const events = await site.waitForEvents(41);
      await page.waitForTimeout(500);
      expect(events.slice(1).map(({ n }) => n)).toEqual(Array.from({ length: 40 }, (_, number) => `E${number}`));
      expect(new Set(site.events().map(({ i }) => i)).size).toBe(site.events().length);
      // A body that the browser refused, for want of keepalive quota, would have been tried twice.
      expect(attempts).toBe(site.received.length - 2);
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
});
