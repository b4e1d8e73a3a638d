/** Runs few pieces of work at a time; the rest wait, the newest first, and leave when nobody wants them any more. */

interface Waiting {
  run: () => void;
}

export function inTurn(atOnce: number): <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result> {
  let running = 0;
  const waiting: Waiting[] = [];
  const next = (): void => {
    while (running < atOnce) {
      const one = waiting.pop();
      if (!one) return;
      one.run();
    }
  };
  return (work, signal) =>
    new Promise((resolve, reject) => {
      const one: Waiting = {
        run: () => {
          running += 1;
          work()
            .then(resolve, reject)
            .finally(() => {
              running -= 1;
              next();
            });
        },
      };
      signal.addEventListener("abort", () => {
        const at = waiting.indexOf(one);
        if (at >= 0) {
          waiting.splice(at, 1);
          reject(signal.reason);
        }
      });
      waiting.push(one);
      next();
    });
}
