/** What a page can choose: the `data-*` attributes of the script tag under the same names. */
export interface Options {
  /** The project's public write key. */
  key: string;
  /** Where `/e/{key}` lives: an origin, or a path on the page's own origin; no slash at the end. */
  host: string;
  /** `off`: no automatic page view of any kind. */
  auto?: string | undefined;
  /** `off`: no page view when a single-page application changes the path. */
  spa?: string | undefined;
  /** `off`: nothing is counted on localhost, 127.0.0.0/8, [::1] and file: pages. */
  local?: string | undefined;
  /** `off`: Do Not Track and Global Privacy Control are ignored. */
  dnt?: string | undefined;
}
