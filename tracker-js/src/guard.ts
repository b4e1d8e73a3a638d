/** Keeps the tracker's own errors out of the page: every entry point the page can reach runs inside `guarded`. */

/** Writes one line to the console; silent where the page has broken the console. */
export const warn = (message: unknown, detail?: unknown): void => {
  try {
    console.warn('iafa', message, detail);
  } catch {
    // A page may replace console.warn by something that throws; there is no one left to tell.
  }
};

/** The same function, except that an error becomes a console warning and the answer `undefined`. */
export const guarded =
  <Args extends unknown[], Answer>(run: (...args: Args) => Answer) =>
  (...args: Args): Answer | undefined => {
    try {
      return run(...args);
    } catch (error) {
      warn(error);
      return undefined;
    }
  };

/** Listens on the window before the page's own listeners; events of the document pass here too, on their way down. */
export const on = (type: string, run: (event: Event) => unknown): void => {
  addEventListener(type, guarded(run), true);
};
