/** The smallest build, alone in its file: page views and `track`; no ids, nothing stored, no second try. */
const LOCAL_HOST = /^(127[.\d]+|\[.*|(.*\.)?localhost|)$/;

type LiteCall = [method: 'track' | 'page', ...args: [string?, object?]];

const { src, dataset } = document.currentScript as HTMLScriptElement;
const options: Record<string, string> = { host: new URL(src).origin, ...BAKED, ...(dataset as Record<string, string>) };
let events: string[] = [];
let path: string | undefined;

const send = (): void => {
  if (events[0])
    fetch(`${options.host}/e/${options.key || options.apiKey}`, {
      method: 'POST',
      body: `{"t":${Date.now()},"e":[${events as unknown as string}]}`,
      keepalive: true,
      credentials: 'omit',
    }).catch(() => 0);
  events = [];
};

const track = (n?: string, p?: object): void => {
  if (
    navigator.globalPrivacyControl ||
    (options.test == 'off' && navigator.webdriver) ||
    (options.local == 'off' && LOCAL_HOST.test(location.hostname))
  )
    return;
  events.push(JSON.stringify({ n, t: Date.now(), l: location.href, r: document.referrer || undefined, c: document.title, p }));
  setTimeout(send, document.hidden ? 0 : 300);
};

const page = (): void => {
  path = location.pathname;
  track('page_view');
};

const turn = ({ persisted }: { persisted?: boolean }): void => {
  if (document.hidden) send();
  else if (!path || persisted) page();
  else if (path != location.pathname) page();
};

const held = (window.iafa?.q || []) as LiteCall[];
const iafa = { track, page, q: { push: ([method, ...args]: LiteCall) => { iafa[method](...args); } } };
window.iafa = window._iafa = iafa as never;
for (const type of ['visibilitychange', 'pageshow', 'pagehide', 'popstate']) addEventListener(type, (type == 'pagehide' ? send : turn) as () => void, true);
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const { pushState } = history;
history.pushState = (...args) => {
  pushState.apply(history, args);
  turn({});
};
turn({});
held.forEach(iafa.q.push);

export {};
