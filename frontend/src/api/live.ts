/** The live view's socket: let in by a ticket, opened again when it breaks, with growing pauses. */
import { asProblem, type ApiProblem } from "./problem";
import type { components } from "./schema";

export type LiveResult = "stored" | "bot" | "duplicate" | "rejected" | "sampled_out" | "limited";

/** One event as it came in, or with `count` several of which no more is known. What is not known is absent. */
export interface LiveItem {
  result: LiveResult;
  reason?: string;
  received_at: string;
  worker?: number;
  event_id?: string;
  event_type?: string;
  event?: Record<string, unknown>;
  pointer?: string;
  message?: string;
  body?: string;
  count?: number;
}

export interface LiveNews {
  items: LiveItem[];
  /** Events that came too fast for this page. */
  skipped: number;
  /** Some came too fast for the server; nobody counted them. */
  hasGap: boolean;
}

export interface LiveFilter {
  event_type?: string;
  result?: LiveResult;
  person?: string;
}

export type LiveState =
  | { is: "connecting" }
  | { is: "open" }
  /** Tries again by itself at this time (epoch ms). */
  | { is: "waiting"; until: number; isCrowded: boolean }
  /** Does not try again by itself. */
  | { is: "ended"; problem: ApiProblem | null; why: "session" | "project" | "refused" };

/** What the connection needs of the world around it; tests bring their own. */
export interface LiveWorld {
  /** Gets a ticket; answers the address of the socket. */
  ticket: () => Promise<string>;
  socket: (address: string) => SocketLike;
  now: () => number;
  random: () => number;
  after: (delay_ms: number, run: () => void) => () => void;
}

export interface SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send: (text: string) => unknown;
  close: () => void;
}

interface Listener {
  onState: (state: LiveState) => void;
  onNews: (news: LiveNews) => void;
}

const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;
/** The server says something every 15 seconds; a socket that is silent for longer is dead. */
const SILENCE_MS = 40_000;
const BAD_MESSAGE = 4400;
const NO_TICKET = 4401;
const FOREIGN = 4403;
const TOO_MANY = 4429;

/** The pause before the next attempt: doubled each time, up to half a minute, spread so that pages do not come back all at once. */
export function pauseAfter(failures: number, random: number): number {
  const longest = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 16));
  return Math.round(longest * (0.5 + random / 2));
}

export class LiveConnection {
  private socket: SocketLike | null = null;
  private failures = 0;
  private refusedTickets = 0;
  private isClosed = false;
  private stopTimer: (() => void) | null = null;
  private attempt = 0;

  constructor(
    private readonly world: LiveWorld,
    private readonly listener: Listener,
    private readonly filter: LiveFilter = {},
  ) {}

  open(): void {
    this.isClosed = false;
    void this.connect();
  }

  /** Tries at once instead of waiting. */
  retry(): void {
    this.failures = 0;
    this.refusedTickets = 0;
    this.drop();
    this.open();
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  private drop(): void {
    this.attempt += 1;
    this.stopTimer?.();
    this.stopTimer = null;
    if (!this.socket) return;
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.close();
    this.socket = null;
  }

  private async connect(): Promise<void> {
    this.attempt += 1;
    const attempt = this.attempt;
    this.listener.onState({ is: "connecting" });
    let address: string;
    try {
      address = await this.world.ticket();
    } catch (error) {
      if (this.isClosed || attempt !== this.attempt) return;
      const problem = asProblem(error);
      if (problem.isRetryable) this.wait(problem.status === 429);
      else this.listener.onState({ is: "ended", problem, why: problem.status === 401 ? "session" : "project" });
      return;
    }
    if (this.isClosed || attempt !== this.attempt) return;
    const socket = this.world.socket(address);
    this.socket = socket;
    socket.onmessage = (event) => this.hear(event.data);
    socket.onclose = (event) => this.ended(event.code);
    this.watchSilence();
  }

  private hear(data: unknown): void {
    this.watchSilence();
    const message = parsed(data);
    if (message.type === "ready") {
      this.failures = 0;
      this.refusedTickets = 0;
      if (Object.keys(this.filter).length > 0) this.socket?.send(JSON.stringify({ filter: this.filter }));
      this.listener.onState({ is: "open" });
    } else if (message.type === "events") {
      this.listener.onNews({ items: (message.events ?? []) as LiveItem[], skipped: message.skipped ?? 0, hasGap: message.gap ?? false });
    }
  }

  private ended(code: number): void {
    this.drop();
    if (this.isClosed) return;
    if (code === FOREIGN) return this.listener.onState({ is: "ended", problem: null, why: "project" });
    if (code === BAD_MESSAGE) return this.listener.onState({ is: "ended", problem: null, why: "refused" });
    // A ticket lives for half a minute: one may have been too old; a second one was refused for a reason.
    this.refusedTickets += code === NO_TICKET ? 1 : 0;
    if (this.refusedTickets > 1) return this.listener.onState({ is: "ended", problem: null, why: "session" });
    this.wait(code === TOO_MANY);
  }

  private wait(isCrowded: boolean): void {
    const pause_ms = isCrowded ? LAST_PAUSE_MS : pauseAfter(this.failures, this.world.random());
    this.failures += 1;
    this.listener.onState({ is: "waiting", until: this.world.now() + pause_ms, isCrowded });
    this.stopTimer?.();
    this.stopTimer = this.world.after(pause_ms, () => void this.connect());
  }

  private watchSilence(): void {
    this.stopTimer?.();
    this.stopTimer = this.world.after(SILENCE_MS, () => {
      this.drop();
      this.wait(false);
    });
  }
}

type Message = Omit<components["schemas"]["LiveMessage"], "type"> & { type?: string };

function parsed(data: unknown): Partial<Message> {
  try {
    const message: unknown = JSON.parse(String(data));
    return typeof message === "object" && message !== null ? (message as Partial<Message>) : {};
  } catch {
    return {};
  }
}
