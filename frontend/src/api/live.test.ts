import { expect, test } from "vitest";
import { LiveConnection, pauseAfter, type LiveNews, type LiveState, type LiveWorld, type SocketLike } from "./live";
import { ApiProblem } from "./problem";

class FakeSocket implements SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];
  isClosed = false;
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
}

/** A clock that only moves when told to. */
class FakeWorld implements LiveWorld {
  time = 0;
  timers: { at: number; run: () => void }[] = [];
  sockets: FakeSocket[] = [];
  tickets: (string | Error)[] = [];
  ticket = async (): Promise<string> => {
    const one = this.tickets.shift() ?? "ws://x";
    if (typeof one !== "string") throw one;
    return one;
  };
  socket = (): SocketLike => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };
  now = (): number => this.time;
  random = (): number => 1;
  after = (delay_ms: number, run: () => void): (() => void) => {
    const timer = { at: this.time + delay_ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  };
  async pass(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    for (;;) {
      const due = this.timers.filter((one) => one.at <= until).sort((one, two) => one.at - two.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((one) => one !== due);
      this.time = due.at;
      due.run();
      await settled();
    }
    this.time = until;
  }
  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

async function connected(): Promise<{ world: FakeWorld; states: LiveState[]; news: LiveNews[]; connection: LiveConnection }> {
  const world = new FakeWorld();
  const states: LiveState[] = [];
  const news: LiveNews[] = [];
  const connection = new LiveConnection(world, { onState: (state) => states.push(state), onNews: (one) => news.push(one) }, { event_type: "buy" });
  connection.open();
  await settled();
  return { world, states, news, connection };
}

test("says what it wants once it is let in, and tells what comes", async () => {
  const { world, states, news } = await connected();
  world.last.say({ type: "ready" });
  expect(world.last.sent).toEqual(['{"filter":{"event_type":"buy"}}']);
  world.last.say({ type: "events", events: [{ result: "stored", received_at: "t" }], skipped: 2, gap: true });
  world.last.say({ type: "heartbeat", at: "t" });
  world.last.say("not JSON");
  world.last.say({ type: "of a newer server" });
  expect(states.map((one) => one.is)).toEqual(["connecting", "open"]);
  expect(news).toEqual([{ items: [{ result: "stored", received_at: "t" }], skipped: 2, hasGap: true }]);
});

test("a broken socket is opened again, with growing pauses and a new ticket each time", async () => {
  const { world, states } = await connected();
  for (const pause_ms of [500, 1_000, 2_000, 4_000]) {
    world.last.onclose?.({ code: 1006 });
    expect(states.at(-1)).toEqual({ is: "waiting", until: world.time + pause_ms, isCrowded: false });
    const before = world.sockets.length;
    await world.pass(pause_ms - 1);
    expect(world.sockets).toHaveLength(before);
    await world.pass(1);
    expect(world.sockets).toHaveLength(before + 1);
  }
  world.last.say({ type: "ready" });
  world.last.onclose?.({ code: 1006 });
  expect(states.at(-1)).toMatchObject({ is: "waiting", until: world.time + 500 });
});

test("a socket that falls silent is dead", async () => {
  const { world, states } = await connected();
  world.last.say({ type: "ready" });
  const first = world.last;
  await world.pass(39_000);
  first.say({ type: "heartbeat" });
  await world.pass(39_000);
  expect(states.at(-1)).toEqual({ is: "open" });
  await world.pass(2_000);
  expect(first.isClosed).toBe(true);
  expect(world.sockets).toHaveLength(2);
});

test.each([
  [4403, "project"],
  [4400, "refused"],
])("closed with %i it does not try again: %s", async (code, why) => {
  const { world, states } = await connected();
  world.last.onclose?.({ code });
  expect(states.at(-1)).toEqual({ is: "ended", problem: null, why });
  await world.pass(600_000);
  expect(world.sockets).toHaveLength(1);
});

test("one old ticket is replaced, a second refusal is the session's end", async () => {
  const { world, states, connection } = await connected();
  world.last.onclose?.({ code: 4401 });
  await world.pass(30_000);
  expect(world.sockets).toHaveLength(2);
  world.last.onclose?.({ code: 4401 });
  expect(states.at(-1)).toEqual({ is: "ended", problem: null, why: "session" });
  connection.retry();
  await settled();
  expect(world.sockets).toHaveLength(3);
});

test("no place is told, and asked for seldom", async () => {
  const { world, states } = await connected();
  world.last.onclose?.({ code: 4429 });
  expect(states.at(-1)).toEqual({ is: "waiting", until: 30_000, isCrowded: true });
});

test("a ticket that is refused for good ends it, one that may come later does not", async () => {
  const { world, states, connection } = await connected();
  const gone = new ApiProblem(404, "not_found", "", undefined, []);
  world.tickets = [new TypeError("no network"), gone];
  world.last.onclose?.({ code: 1006 });
  await world.pass(500);
  expect(states.at(-1)).toMatchObject({ is: "waiting" });
  await world.pass(60_000);
  expect(states.at(-1)).toEqual({ is: "ended", problem: gone, why: "project" });
  connection.close();
});

test("closed by the page it says no more and opens no more", async () => {
  const { world, states, connection } = await connected();
  world.last.say({ type: "ready" });
  const before = states.length;
  connection.close();
  await world.pass(600_000);
  expect(world.last.isClosed).toBe(true);
  expect(states).toHaveLength(before);
  expect(world.timers).toEqual([]);
});

test("pauses are bounded and spread", () => {
  expect([0, 1, 5, 100, 1_000].map((failures) => pauseAfter(failures, 1))).toEqual([500, 1_000, 16_000, 30_000, 30_000]);
  expect(pauseAfter(3, 0)).toBe(2_000);
});
