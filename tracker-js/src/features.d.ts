/** What is in a build: esbuild puts true or false in place of each, and drops the code that can never run. */
declare const WITH: {
  /** anonymous id, user, session, group, alias, reset; ids kept in storage */
  readonly identity: boolean;
  /** again after a failure; what cannot be sent waits in storage */
  readonly retry: boolean;
  /** consent, cookieless, sampling, Do Not Track, 404, allow-list of hosts, excluded paths, label */
  readonly rules: boolean;
  /** `?iafa_debug=1` prints each event, or why it was not sent */
  readonly debug: boolean;
  /** Core Web Vitals */
  readonly vitals: boolean;
};

/** The settings that a server has put into the file for one project; empty in the file as it is built. */
declare const BAKED: object;
