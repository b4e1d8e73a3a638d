/** The texts that send events, one for each tab; those of the browser carry the tracker options that differ from the usual. */
import type { components } from "@/api/schema";
import type { TrackingCode } from "@/api/types";
import { words } from "./words";

export type Tracker = components["schemas"]["TrackerChoice"];

export const TABS = ["html", "npm", "react", "gtm", "segment", "python", "node", "curl"] as const;
export type Tab = (typeof TABS)[number];

export const tabOf = (asked: string | null): Tab => TABS.find((one) => one === asked) ?? "html";

/** The options as `init` takes them, without those that are as usual. */
export function trackerOptions(tracker: Tracker): Record<string, string> {
  const options: Record<string, string> = {};
  for (const name of ["auto", "spa", "local", "dnt"] as const) if (tracker[name] === false) options[name] = "off";
  for (const name of ["hash", "cookieless"] as const) if (tracker[name]) options[name] = "on";
  if (tracker.consent && tracker.consent !== "granted") options.consent = tracker.consent;
  if (tracker.sample !== undefined && tracker.sample < 1) options.sample = String(tracker.sample);
  if (tracker.exit === "next") options.exit = "next";
  if (tracker.domains?.length) options.domains = tracker.domains.join(",");
  if (tracker.exclude?.length) options.exclude = tracker.exclude.join(",");
  if (tracker.tag) options.tag = tracker.tag;
  return options;
}

/** The page asks for a file of its own: with its options inside, in the build that was chosen. */
export const hasOptions = (tracker: Tracker): boolean => (tracker.build ?? "full") !== "full" || Object.keys(trackerOptions(tracker)).length > 0;

// A text inside a program stands in quotes and inside a page in a script element: neither may end early.
const quoted = (text: string): string => `'${JSON.stringify(text).slice(1, -1).replaceAll("'", String.raw`\'`).replaceAll('\\"', '"').replaceAll("<", String.raw`\x3C`)}'`;

const settingsFile = (code: TrackingCode): string => `${code.collector_url}/t.js?key=${encodeURIComponent(code.api_key)}`;

function initObject(code: TrackingCode, tracker: Tracker): string {
  const rows = Object.entries({ key: code.api_key, host: code.collector_url, ...trackerOptions(tracker) });
  return `{\n${rows.map(([name, value]) => `  ${name}: ${quoted(value)},`).join("\n")}\n}`;
}

const npm = (code: TrackingCode, tracker: Tracker): string => `import { init, track, identify } from 'iafa-tracker';

init(${initObject(code, tracker)});

track('add_to_cart', { product: 'Tea', price: 12.5 });
identify('user-42'); // ${words.comments.identify}`;

const react = (code: TrackingCode, tracker: Tracker): string => `import { IafaProvider, useIafa } from 'iafa-tracker/react';

const options = ${initObject(code, tracker)};

const Buy = () => {
  const { track } = useIafa();
  return <button onClick={() => { track('Bought', { plan: 'pro' }); }}>Buy</button>;
};

export const App = () => (
  <IafaProvider options={options}>
    <Buy />
  </IafaProvider>
);`;

function tagManager(code: TrackingCode, tracker: Tracker): string {
  const src = hasOptions(tracker) ? settingsFile(code) : code.script_url;
  return `<script>
  (function () {
    var script = document.createElement('script');
    script.src = ${quoted(src)};
    script.defer = true;
    script.dataset.key = ${quoted(code.api_key)};
    document.head.appendChild(script);
  })();
</script>`;
}

const segment = ({ api_key, collector_url }: TrackingCode): string => `// ${words.comments.browser}
import { AnalyticsBrowser } from '@segment/analytics-next';
const analytics = AnalyticsBrowser.load({ writeKey: ${quoted(api_key)}, cdnURL: ${quoted(collector_url)} });
analytics.track('Bought', { plan: 'pro' });

// ${words.comments.node}
import { Analytics } from '@segment/analytics-node';
const server = new Analytics({ writeKey: ${quoted(api_key)}, host: ${quoted(collector_url)} });
server.track({ userId: 'user-42', event: 'Bought', properties: { plan: 'pro' } });`;

export function snippetOf(tab: Tab, code: TrackingCode, tracker: Tracker): string {
  if (tab === "html") return hasOptions(tracker) ? `<script defer src="${settingsFile(code)}"></script>` : code.html;
  if (tab === "npm") return npm(code, tracker);
  if (tab === "react") return react(code, tracker);
  if (tab === "gtm") return tagManager(code, tracker);
  if (tab === "segment") return segment(code);
  return code.snippets[tab];
}
