/** A site and a collector on two ports of 127.0.0.1, hence two origins, as real servers for a real browser. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SentBody, SentEvent } from './collector';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  bytes: number;
  body: SentBody | undefined;
}

export interface Site {
  origin: string;
  collectorOrigin: string;
  received: Received[];
  /** Events that arrived, in order, but for the engagement that every page tells when it goes. */
  events(): SentEvent[];
  engagements(): SentEvent[];
  /** Resolves when the collector has this many events, rejects after 10 s. */
  waitForEvents(count: number): Promise<SentEvent[]>;
  /** Forgets what arrived. */
  clear(): void;
  close(): Promise<void>;
}

/** `pages` by path, made with the collector's origin; the collector answers events after `answerDelayMs`. */
export async function openSite(
  script: string,
  pages: (collectorOrigin: string) => Record<string, string>,
  answerDelayMs = 0,
): Promise<Site> {
  const received: Received[] = [];
  const collector = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const { method = '', url = '', headers } = request;
      const body = method === 'POST' ? (JSON.parse(bytes.toString()) as SentBody) : undefined;
      received.push({ method, path: url, headers, bytes: bytes.length, body });
      if (method === 'GET') {
        response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
        return;
      }
      setTimeout(() => {
        response.writeHead(204, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' }).end();
      }, answerDelayMs);
    });
  });
  const collectorOrigin = originOf(collector);
  const contents = pages(collectorOrigin);
  const site = await listen((request, response) => {
    const content = contents[new URL(request.url ?? '/', 'http://site').pathname];
    response.writeHead(content === undefined ? 404 : 200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; script-src 'unsafe-inline' ${collectorOrigin}; connect-src ${collectorOrigin}`,
    });
    response.end(content);
  });

  const all = () => received.flatMap(({ body }) => body?.e ?? []);
  const events = () => all().filter(({ n }) => n !== 'engagement');
  return {
    origin: originOf(site),
    collectorOrigin,
    received,
    events,
    engagements: () => all().filter(({ n }) => n === 'engagement'),
    async waitForEvents(count) {
      const deadlineMs = Date.now() + 10_000;
      while (events().length < count) {
        if (Date.now() > deadlineMs) throw new Error(`${events().length} of ${count} events arrived within 10 s`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return events();
    },
    clear() {
      received.length = 0;
    },
    async close() {
      await Promise.all([close(site), close(collector)]);
    },
  };
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
