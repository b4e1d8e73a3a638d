/** Starts the real service on a free port over a new data folder, and a static site for the visitors. */
import { spawn, type ChildProcess } from "node:child_process";
import { createServer as createHttpServer, request as askHttp, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_WAIT_MS = 180_000;
// The service itself waits 20 s for its background process; killed before that it would leave one behind, still writing.
const STOP_WAIT_MS = 60_000;

export interface Running {
  url: string;
  stop: () => Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

/** `settings` are variables of the environment beside the defaults. */
export async function startService(settings: Readonly<Record<string, string>> = {}): Promise<Running> {
  const data = await mkdtemp(join(tmpdir(), "iafa-e2e-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = process.env.IAFA_COMMAND ?? join(ROOT, ".venv/bin/iafa");
  const args = ["serve", "--host", "127.0.0.1", "--port", String(port), "--data-dir", data];
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...settings } });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(data, { recursive: true, force: true });
  };
  try {
    await ready(url, child);
  } catch (error) {
    await stop();
    throw new Error(`the service did not start:\n${said.join("")}`, { cause: error });
  }
  return { url, stop };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WAIT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the service was not ready in time");
}

/** Ends the service and waits for `close`, not for `exit`: its children hold the same output, and write to the folder. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.stdout?.closed && child.stderr?.closed) return;
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WAIT_MS);
  await gone;
  clearTimeout(timer);
}

async function listening(server: Server): Promise<Running> {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** Serves pages from memory, as a customer's own web server would. */
export async function startSite(pages: Record<string, string>): Promise<Running> {
  const server = createHttpServer((request, response) => {
    const page = pages[new URL(request.url ?? "/", "http://site").pathname];
    response.writeHead(page === undefined ? 404 : 200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(page ?? "no such page");
  });
  return listening(server);
}

/** The service behind a slow line: answers to `path` reach the browser `delayMs` late; the service does its work at once. */
export async function startSlowLine(service: Running, path: string, delayMs: number): Promise<Running> {
  const { hostname, port: target } = new URL(service.url);
  const server = createHttpServer((request, response) => {
    const options = { hostname, port: target, path: request.url, method: request.method, headers: request.headers };
    const onward = askHttp(options, (answer) => {
      const pass = (): void => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      };
      setTimeout(pass, request.url === path ? delayMs : 0);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  return listening(server);
}
