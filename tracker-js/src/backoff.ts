/** How long to wait after a failed request. */
const enum Wait {
  FirstMs = 1000,
  LongestMs = 60_000,
  TimerMs = 2_147_483_647, // a longer setTimeout fires at once
}

/**
 * 1 s, 2 s, 4 s ... 60 s by the number of `failures` before this one, times 0.5 to 1.5. A time in the future that the
 * server names (`Retry-After` in seconds or as an HTTP date) wins.
 */
export function waitMs(failures: number, retryAfter: string | null | undefined): number {
  const named = Number(retryAfter) * 1000 || Date.parse(String(retryAfter)) - Date.now();
  const backoff = Math.min(Wait.FirstMs * 2 ** failures, Wait.LongestMs) * (0.5 + Math.random());
  return Math.min(named > 0 ? named : backoff, Wait.TimerMs);
}
