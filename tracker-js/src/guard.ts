/** Keeps the tracker's own errors out of the page: every entry point the page can reach runs inside `guarded`. */

/** The same function, except that an error becomes a console warning and the answer `undefined`. */
export const guarded =
  <Args extends unknown[], Answer>(run: (...args: Args) => Answer) =>
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- without it each path would have to say `return`
  (...args: Args): Answer | void => {
    try {
      return run(...args);
    } catch (error) {
      try {
        console.warn('iafa', error);
      } catch {
        // A page may replace console.warn by something that throws; there is no one left to tell.
      }
    }
  };

/** Ends what the page has called; the guard tells the console. */
export const refuse = (): never => {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- the guard prints it, nobody else sees it
  throw 'refused';
};
