import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { brotli, BUILDS, buildPackage, buildScript, bytesAbove } from '../build.mjs';
import { openPage } from './support/page';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('byte budgets', () => {
  it.each(Object.entries(BUILDS))('%s keeps within its budget', (name, { budget }) => {
    const bytes = brotli(buildScript(name)).length;
    expect(bytes).toBeGreaterThan(100);
    expect(bytesAbove(budget, buildScript(name))).toBe(0);
  });

  it('a larger file is above it', () => {
    const script = buildScript('t');
    expect(bytesAbove(brotli(script).length - 1, script)).toBe(1);
  });

  it('a build above its budget fails, and one within does not', () => {
    const build = (budget: number) => {
      const folder = mkdtempSync(`${ROOT}node_modules/.scripts-`);
      const text = `import { BUILDS, buildScripts } from './build.mjs'; BUILDS['t.lite'].budget = ${budget}; buildScripts(${JSON.stringify(folder)});`;
      try {
        return spawnSync(process.execPath, ['--input-type=module', '-e', text], { cwd: ROOT, encoding: 'utf8' });
      } finally {
        rmSync(folder, { recursive: true });
      }
    };
    const bytes = brotli(buildScript('t.lite')).length;
    const above = build(bytes - 1);
    expect([above.status, above.stderr]).toEqual([1, `t.lite.js has ${bytes} bytes after Brotli, 1 above its budget\n`]);
    expect(build(bytes).status).toBe(0);
  }, 60_000);

  it('every script ends with the place for the settings of a project', () => {
    for (const name of ['t', 't.lite', 't.web', 't.vitals']) expect(buildScript(name)).toMatch(/\}\)\(\{\}\);$/);
  });
});

describe('smaller builds and the stub', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(['t.lite', 't.web', 't', 't.vitals'])('%s: views, stub calls and track, one request each', async (build) => {
    const page = openPage({ build, stub: { q: [['track', 'Early', { a: 1 }]] } });
    await page.settle();
    expect(page.collector.requests).toHaveLength(1);
    expect(page.collector.seen().map(({ n }) => n)).toEqual(['page_view', 'Early']);
    page.window.history.pushState(null, '', '/next');
    await page.settle();
    expect(page.collector.requests).toHaveLength(2);
    expect(page.collector.seen().at(-1)).toMatchObject({ n: 'page_view', l: 'https://shop.example/next' });
    page.iafa.track('Late');
    page.setHidden(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(page.collector.seen().map(({ n }) => n)).toContain('Late');
    expect(page.errors).toEqual([]);
  });

  it.each(['t.lite', 't.web'])('%s stores nothing and sends no id of a person; GPC silences it', async (build) => {
    const page = openPage({ build });
    await page.settle();
    expect(page.window.localStorage).toHaveLength(0);
    const [view] = page.collector.seen();
    expect([view?.a, view?.s, view?.u]).toEqual([undefined, undefined, undefined]);
    const silent = openPage({ build, navigator: { globalPrivacyControl: true } });
    await silent.settle();
    expect(silent.collector.requests).toHaveLength(0);
  });

  it('t.web splits bodies at 50,000 bytes and keeps opt-out and hook', async () => {
    const page = openPage({ build: 't.web', attributes: { auto: 'off' } });
    for (let number = 0; number < 40; number++) page.iafa.track(`E${number}`, { text: '漢'.repeat(1666) });
    await page.settle();
    expect(page.collector.seen().map(({ n }) => n)).toEqual(Array.from({ length: 40 }, (_, number) => `E${number}`));
    for (const { bytes } of page.collector.requests) expect(bytes).toBeLessThanOrEqual(50_000);
    page.iafa.optOut();
    page.iafa.track('Never');
    await page.settle();
    expect(page.collector.seen()).toHaveLength(40);
  });

  it('settings baked into the file count, and attributes of the tag win over them', async () => {
    const page = openPage({ attributes: { key: null, tag: 'page' }, build: 't', prepare: (window) => {
      const original: (text: string) => unknown = window.eval.bind(window);
      Object.assign(window, { eval: (text: string) => original(text.replace(/\(\{\}\);$/, '({"key":"pk_baked","tag":"server","hash":""});')) });
    } });
    page.window.history.pushState(null, '', '#/a');
    await page.settle();
    expect(page.collector.requests[0]?.url).toBe('https://collect.example/e/pk_baked');
    expect(page.collector.seen().map(({ n, p }) => [n, p?.tag])).toEqual([['page_view', 'page'], ['engagement', 'page'], ['page_view', 'page']]);
  });

  it('the inline stub keeps calls in order and loads the script with the key', async () => {
    const page = openPage({ attributes: { key: null }, prepare: (window) => {
      window.eval(buildScript('stub'));
      const stub = window.iafa as unknown as { track(name: string): void; identify(id: string): void };
      stub.track('One');
      stub.identify('u1');
    } });
    const script = page.window.document.querySelector('script');
    expect(script?.getAttribute('src')).toBe('SCRIPT_URL');
    expect(script?.dataset.key).toBe('WRITE_KEY');
    page.iafa.init({ key: 'k', host: '' });
    await page.settle();
    expect(page.collector.seen().map(({ n }) => n)).toEqual(['page_view', 'One', 'identify']);
  });
});

describe('the package', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(`${ROOT}node_modules/.package-`);
    buildPackage(folder);
  }, 120_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('can be loaded and called where there is no window', () => {
    const text = `const iafa = require(${JSON.stringify(`${folder}/index.cjs`)});
      iafa.init({ key: 'k' }); iafa.track('One'); iafa.consent(true);
      iafa.flush().then(() => console.log('settled', typeof window));`;
    expect(execFileSync(process.execPath, ['-e', text]).toString()).toBe('settled undefined\n');
    const module = `import * as iafa from ${JSON.stringify(`${folder}/index.js`)}; console.log(Object.keys(iafa).sort().join())`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', module]).toString().trim()).toBe(
      'alias,before,consent,flush,group,identify,init,optIn,optOut,page,ready,reset,set,track',
    );
  });

  it('has types that hold under strict, and refuse what is wrong', () => {
    const uses = (text: string) => {
      writeFileSync(`${folder}/uses.ts`, `import { init, track } from './types/npm';\n${text}\n`);
      const tsc = `${ROOT}node_modules/.bin/tsc`;
      const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck'];
      execFileSync(tsc, [...flags, `${folder}/uses.ts`], { stdio: 'pipe' });
    };
    expect(() => { uses("init({ key: 'k', consent: 'required', sample: 0.5 }); track('One', { a: 1 });"); }).not.toThrow();
    expect(() => { uses('track(1);'); }).toThrow();
  }, 180_000);

  it('has types of the React hook that hold under strict, and refuse what is wrong', () => {
    const paths = { 'iafa-tracker': ['./types/npm.d.ts'], 'iafa-tracker/react': ['./types/react.d.ts'] };
    const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx', skipLibCheck: true, types: [], paths };
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ['shop.tsx'] }));
    const uses = (call: string) => {
      writeFileSync(`${folder}/shop.tsx`, `import { IafaProvider, useIafa } from 'iafa-tracker/react';
        const Shop = () => { const iafa = useIafa(); return <button onClick={() => { ${call} }}>buy</button>; };
        export const App = () => <IafaProvider options={{ key: 'k', host: '/stats' }}><Shop /></IafaProvider>;`);
      execFileSync(`${ROOT}node_modules/.bin/tsc`, ['--project', folder], { stdio: 'pipe' });
    };
    expect(() => { uses("iafa.track('Bought', { plan: 'pro' }); iafa.identify(42);"); }).not.toThrow();
    expect(() => { uses('iafa.identify({});'); }).toThrow();
  }, 180_000);

  it('the React provider starts the tracker once, and the hook gives its functions', () => {
    const text = `
      const require2 = require('node:module').createRequire(${JSON.stringify(`${ROOT}package.json`)});
      const { JSDOM } = require2('jsdom');
      const { window } = new JSDOM('<div id="root"></div>', { url: 'https://shop.example/', pretendToBeVisual: true });
      Object.assign(globalThis, { window, document: window.document, location: window.location, screen: window.screen, history: window.history, localStorage: window.localStorage, addEventListener: window.addEventListener.bind(window), IS_REACT_ACT_ENVIRONMENT: true, scrollY: 0, innerHeight: 1 });
      Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });
      let bodies = [];
      globalThis.fetch = (url, { body }) => (bodies.push([url, JSON.parse(body).e.map((e) => e.n)]), Promise.resolve(new Response(null, { status: 204 })));
      const Module = require('node:module');
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => name === 'iafa-tracker' ? ${JSON.stringify(`${folder}/index.cjs`)} : resolve(name, ...rest);
      const React = require2('react');
      const { createRoot } = require2('react-dom/client');
      const { IafaProvider, useIafa } = require(${JSON.stringify(`${folder}/react.cjs`)});
      const Shop = () => { const { track } = useIafa(); React.useEffect(() => track('Shown'), [track]); return 'shop'; };
      const options = { key: 'k', host: 'https://in.example' };
      const Root = () => React.createElement(React.StrictMode, null, React.createElement(IafaProvider, { options }, React.createElement(Shop)));
      React.act(() => createRoot(document.getElementById('root')).render(Root()));
      setTimeout(() => { console.log(JSON.stringify([document.getElementById('root').textContent, bodies])); process.exit(); }, 600);`;
    const [shown, bodies] = JSON.parse(execFileSync(process.execPath, ['-e', text]).toString()) as [string, unknown[]];
    expect(shown).toBe('shop');
    // Strict mode shows every component twice, and so runs the effects of the page itself twice.
    expect(bodies).toEqual([['https://in.example/e/k', ['page_view', 'Shown', 'Shown']]]);
  }, 30_000);
});
