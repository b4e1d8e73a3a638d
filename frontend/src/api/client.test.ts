import { expect, test } from "vitest";
import { sessionFetch } from "./client";

const url = (path: string): string => `http://127.0.0.1${path}`;

function service(answers: (path: string, call: number) => number): { calls: string[]; send: (request: Request) => Promise<Response> } {
  const calls: string[] = [];
  const send = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    calls.push(`${request.method} ${pathname} ${await request.text()}`.trim());
    return new Response(null, { status: answers(pathname, calls.length) });
  };
  return { calls, send };
}

test("an expired session is renewed once and the request repeated with its body", async () => {
  const { calls, send } = service((path, call) => (path.endsWith("/refresh") || call > 1 ? 200 : 401));
  const answer = await sessionFetch(send)(new Request(url("/api/v1/funnels"), { method: "POST", body: "kept" }));
  expect(answer.status).toBe(200);
  expect(calls).toEqual(["POST /api/v1/funnels kept", "POST /api/v1/auth/refresh {}", "POST /api/v1/funnels kept"]);
});

test("requests that expire together share one renewal", async () => {
  let isRenewed = false;
  const { calls, send } = service((path) => {
    if (path.endsWith("/refresh")) isRenewed = true;
    return isRenewed ? 200 : 401;
  });
  const through = sessionFetch(send);
  const answers = await Promise.all(["/api/v1/a", "/api/v1/b", "/api/v1/c"].map((path) => through(new Request(url(path)))));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  expect(calls.filter((call) => call.includes("/refresh"))).toHaveLength(1);
});

test("a refused renewal leaves the 401 and does not loop", async () => {
  const { calls, send } = service(() => 401);
  expect((await sessionFetch(send)(new Request(url("/api/v1/a")))).status).toBe(401);
  expect(calls).toHaveLength(2);
});

test("of a session that was renewed elsewhere the cookies are waited for", async () => {
  const calls: string[] = [];
  const through = sessionFetch((request) => {
    calls.push(new URL(request.url).pathname);
    if (request.url.endsWith("/refresh")) return Promise.resolve(Response.json({ code: "token_replaced" }, { status: 401 }));
    return Promise.resolve(new Response(null, { status: calls.length > 3 ? 200 : 401 }));
  });
  expect((await through(new Request(url("/api/v1/a"), { method: "POST", body: "kept" }))).status).toBe(200);
  expect(calls).toEqual(["/api/v1/a", "/api/v1/auth/refresh", "/api/v1/a", "/api/v1/a"]);
});

test("a renewal outlives the page that asked for it", async () => {
  let outlives = false;
  await sessionFetch((request) => {
    if (request.url.endsWith("/refresh")) outlives = request.keepalive;
    return Promise.resolve(new Response(null, { status: 401 }));
  })(new Request(url("/api/v1/a")));
  expect(outlives).toBe(true);
});

test("a wrong password is not answered with a renewal", async () => {
  const { calls, send } = service(() => 401);
  await sessionFetch(send)(new Request(url("/api/v1/auth/login"), { method: "POST", body: "{}" }));
  expect(calls).toHaveLength(1);
});
