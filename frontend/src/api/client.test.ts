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

test("a wrong password is not answered with a renewal", async () => {
  const { calls, send } = service(() => 401);
  await sessionFetch(send)(new Request(url("/api/v1/auth/login"), { method: "POST", body: "{}" }));
  expect(calls).toHaveLength(1);
});
