/** A page of its own for each test: jsdom's window, the script exactly as it is shipped, and the test's clock. */
import { JSDOM, type DOMWindow } from 'jsdom';
import { buildScript } from '../../build.mjs';
import { vi } from 'vitest';
import type { Iafa } from '../../src/script-tag';
import type { Tracker } from '../../src/tracker';
import { createCollector, type Collector } from './collector';

const BATCH_DELAY_MS = 300;

export const KEY = 'pk_test';
export const COLLECTOR_ORIGIN = 'https://collect.example';

const scripts: Record<string, string> = {};

function scriptOf(build: string): string {
  return (scripts[build] ??= buildScript(build));
}

export interface PageOptions {
  url?: string;
  referrer?: string;
  title?: string;
  /** Attributes of the tag without `data-`; `data-key` is there unless it is null. */
  attributes?: Record<string, string | null>;
  collector?: Collector;
  /** Shared by the pages of one browser. */
  storage?: Storage | 'blocked' | 'full';
  /** What the page put in `window.iafa` before the script ran. */
  stub?: Iafa;
  navigator?: Record<string, unknown>;
  isHidden?: boolean;
  isPrerendering?: boolean;
  /** Last changes to the window before the script runs. */
  prepare?: (window: DOMWindow) => void;
  /** Which file the page loads. */
  build?: string;
  /** The body of the page. */
  html?: string;
}

export interface Page {
  window: DOMWindow;
  /** Missing where the script could not even begin. */
  iafa: Tracker & Required<Iafa>;
  collector: Collector;
  warnings: string[];
  /** Uncaught errors of the page. */
  errors: string[];
  runScript(): void;
  setHidden(isHidden: boolean): void;
  /** Somebody comes to a page that was prerendered: in the order in which Chromium tells of it. */
  activate(): void;
  dispatch(type: 'pagehide' | 'pageshow', persisted?: boolean): void;
  /** Lets the batch delay pass and the answers arrive. */
  settle(): Promise<void>;
}

export function openPage(options: PageOptions = {}): Page {
  const collector = options.collector ?? createCollector();
  const { window } = new JSDOM(`<title>${options.title ?? 'Shop'}</title>${options.html ?? ''}`, {
    url: options.url ?? 'https://shop.example/',
    runScripts: 'outside-only',
    pretendToBeVisual: true,
    ...(options.referrer && { referrer: options.referrer }),
  });
  const warnings: string[] = [];
  const errors: string[] = [];
  const warn = (...args: unknown[]) => void warnings.push(args.map(String).join(' '));
  Object.assign(window.console as object, { warn });
  window.addEventListener('error', (event) => void errors.push(event.message));
  Object.assign(window, { setTimeout, clearTimeout, Date, TextEncoder, Request, fetch: collector.fetch });
  for (const [name, value] of Object.entries(options.navigator ?? {})) define(window.navigator, name, value);
  defineStorage(window, options.storage ?? createStorage());
  // A page that is prerendered is hidden.
  define(window.document, 'hidden', options.isHidden ?? options.isPrerendering ?? false);
  define(window.document, 'prerendering', options.isPrerendering ?? false);
  define(window.document, 'currentScript', scriptTag(window, options.attributes ?? {}));
  if (options.stub) window.iafa = options.stub;
  options.prepare?.(window);

  const page: Page = {
    window,
    collector,
    warnings,
    errors,
    get iafa() {
      return window.iafa as Page['iafa'];
    },
    runScript: () => void window.eval(scriptOf(options.build ?? 't')),
    setHidden(isHidden) {
      define(window.document, 'hidden', isHidden);
      window.document.dispatchEvent(new window.Event('visibilitychange', { bubbles: true }));
    },
    activate() {
      define(window.document, 'prerendering', false);
      window.document.dispatchEvent(new window.Event('prerenderingchange'));
      page.setHidden(false);
    },
    dispatch(type, persisted = false) {
      window.dispatchEvent(new window.PageTransitionEvent(type, { persisted }));
    },
    async settle() {
      await vi.advanceTimersByTimeAsync(BATCH_DELAY_MS);
    },
  };
  page.runScript();
  return page;
}

/** `localStorage` that several pages can share. */
export function createStorage(values: Record<string, string> = {}): Storage {
  const { localStorage } = new JSDOM('', { url: 'https://shop.example/' }).window;
  Object.assign(localStorage, values);
  return localStorage;
}

function defineStorage(window: DOMWindow, storage: Storage | 'blocked' | 'full'): void {
  if (storage === 'blocked') {
    const get = () => {
      throw new window.DOMException('The operation is insecure.', 'SecurityError');
    };
    Object.defineProperty(window, 'localStorage', { get });
  } else if (storage === 'full') {
    const set = () => {
      throw new window.DOMException('full', 'QuotaExceededError');
    };
    define(window, 'localStorage', new Proxy(createStorage({ iafa_s: `${'0'.repeat(32)}.1` }), { set }));
  } else {
    define(window, 'localStorage', storage);
  }
}

function scriptTag(window: DOMWindow, attributes: Record<string, string | null | undefined>): HTMLScriptElement {
  const script = window.document.createElement('script');
  script.src = `${COLLECTOR_ORIGIN}/tracker.js`;
  for (const [name, value] of Object.entries<string | null | undefined>({ key: KEY, ...attributes })) {
    if (typeof value === 'string') script.setAttribute(`data-${name}`, value);
  }
  return script;
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true });
}
