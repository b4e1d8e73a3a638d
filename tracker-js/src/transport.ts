/** One request to the collector and its answer. When to send, and what to do about a failure, is delivery's. */
import { byteLength } from './payload';

// Browsers refuse more than 64 KiB of unfinished keepalive bodies of a page, all of them together.
const enum Keepalive {
  BytesMax = 60_000,
}

/** `status` 0: there was no answer. `retryAfter`: the header, where the server sent it. */
export interface Answer {
  status: number;
  retryAfter?: string | null;
}

export type Post = (body: string) => Promise<Answer>;

/** Sends bodies to `url` as text without any header of our own, so that no preflight happens. Never rejects. */
export function createPost(url: string): Post {
  let keepaliveBytes = 0;

  return async (body) => {
    const bytes = byteLength(body);
    const keepalive = keepaliveBytes + bytes < Keepalive.BytesMax;
    if (keepalive) keepaliveBytes += bytes;
    try {
      const response = await fetch(url, { method: 'POST', body, keepalive, credentials: 'omit' });
      // Chromium gives the quota back at the end of the answer, not at its headers.
      await response.text();
      return { status: response.status, retryAfter: response.headers.get('Retry-After') };
    } catch {
      return { status: 0 };
    } finally {
      if (keepalive) keepaliveBytes -= bytes;
    }
  };
}
