/** Keeps the tracker's own errors out of the page: every entry point the page can reach runs inside `guarded`. */

/** Writes one line to the console; silent where the page has broken the console. */
export function warn(message: string, detail?: unknown): void {
  try {
    console.warn('iafa: ' + message, detail);
  } catch {
    // A page may replace console.warn by something that throws; there is no one left to tell.
  }
}

/** The same function, except that an error becomes a console warning and the answer `undefined`. */
export function guarded<Args extends unknown[], Answer>(
  run: (...args: Args) => Answer,
): (...args: Args) => Answer | undefined {
  return (...args) => {
    try {
      return run(...args);
    } catch (error) {
      warn('ignored', error);
      return undefined;
    }
  };
}

/** Runs at once if `isReady`, else at the next event of this type on the document. */
export function runWhen(isReady: boolean, eventType: string, run: () => void): void {
  if (isReady) run();
  else document.addEventListener(eventType, guarded(() => { run(); }), { once: true });
}
