/** A collector in memory: takes the requests of a page as `fetch` would, answers as told, keeps all it received. */

export interface SentEvent {
  i: string;
  n: string;
  t: number;
  s?: string;
  u?: string;
  a?: string;
  l: string;
  r?: string;
  c?: string;
  w: string;
  g: string;
  z: string;
  p?: Record<string, unknown>;
  v?: string;
  x?: number;
}

export interface SentBody {
  t: number;
  d: number;
  e: SentEvent[];
}

export interface SentRequest {
  url: string;
  init: RequestInit;
  text: string;
  bytes: number;
  body: SentBody;
  /** The fake clock's time at which it was sent. */
  atMs: number;
}

/** What the collector does with one request. */
export type Reaction = { status: number; headers?: Record<string, string> } | 'no network' | Promise<number>;

export interface Collector {
  requests: SentRequest[];
  /** Reactions to the next requests, in order; afterwards each is answered 204. */
  reactions: Reaction[];
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Events of the requests that were answered 2xx. */
  stored: () => SentEvent[];
  /** All events that arrived, whatever the answer. */
  seen: () => SentEvent[];
}

export function createCollector(): Collector {
  const requests: SentRequest[] = [];
  const reactions: Reaction[] = [];
  const stored: SentEvent[] = [];
  return {
    requests,
    reactions,
    async fetch(url, init) {
      const text = init.body as string;
      const body = JSON.parse(text) as SentBody;
      requests.push({ url, init, text, bytes: Buffer.byteLength(text), body, atMs: Date.now() });
      const reaction = (await reactions.shift()) ?? 204;
      if (reaction === 'no network') throw new TypeError('Failed to fetch');
      const answer = typeof reaction === 'number' ? { status: reaction } : reaction;
      const response = new Response(null, answer);
      if (response.ok) stored.push(...body.e);
      return response;
    },
    stored: () => stored,
    seen: () => requests.flatMap(({ body }) => body.e),
  };
}

/** An answer that comes when the test says so. */
export function heldAnswer(): { answer: Promise<number>; give: (status: number) => void } {
  let give: (status: number) => void = () => undefined;
  const answer = new Promise<number>((resolve) => {
    give = resolve;
  });
  return { answer, give };
}
