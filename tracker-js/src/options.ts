/** What a page can choose: the `data-*` attributes of the script tag, in camelCase for `init`. */
export interface Options {
  /** The project's public write key. */
  key: string;
  /** Another name of it. */
  apiKey?: string;
  /** Where `/e/{key}` lives: an origin, or a path on the page's own origin. */
  host?: string | undefined;
  /** `off`: no automatic page view of any kind. */
  auto?: string | undefined;
  /** `off`: no page view when a single-page application changes the path. */
  spa?: string | undefined;
  /** Any value but `off`: another hash is another page. */
  hash?: string | undefined;
  /** `off`: nothing is counted on localhost, 127.0.0.0/8, [::1] and file: pages. */
  local?: string | undefined;
  /** `off`: automated browsers (`navigator.webdriver`) are not counted. */
  test?: string | undefined;
  /** `off`: Do Not Track and Global Privacy Control are ignored. */
  dnt?: string | undefined;
  /** Hosts that count, with commas; `*` stands for anything. Default: all. */
  domains?: string | undefined;
  /** Paths that do not count, with commas; `*` stands for anything. */
  exclude?: string | undefined;
  /** `granted` (default); `required`: nothing happens before `consent(true)`; `cookieless`: without ids until then. */
  consent?: string | boolean | undefined;
  /** Any value but `off`: nothing is stored in the browser and no id is sent. */
  cookieless?: string | undefined;
  /** The share of people that is counted, 0 to 1. */
  sample?: string | number | undefined;
  /** `next`: what is unsent when the page goes travels with the next page view; default `beacon`: at once. */
  exit?: string | undefined;
  /** A label that becomes the property `tag` of every event. */
  tag?: string | undefined;
  /** `auto`: a page that was answered with status 404 sends `not_found`; another value: this page is the 404 page. */
  404?: string | undefined;
}

// One tracker a page: its state lives in the modules, where a name costs a letter. No key: not started.
export let options = {} as Options;

/** An answer about consent that was given before stays. */
export const choose = (given: Options): unknown => (options = { ...given, ...options });
