/** The only door to the network. The session lives in HttpOnly cookies; nothing here ever holds a token. */
import createClient from "openapi-fetch";
import { problemFrom } from "./problem";
import type { paths } from "./schema";

const AUTH_ROUTES = /\/api\/v1\/auth\/(login|register|refresh|logout)$/;
const REFRESH_PATH = "/api/v1/auth/refresh";
/** How long to wait for the cookies of a renewal that somebody else asked for: their answer is already under way. */
const COOKIES_WAIT_MS = [0, 300, 1_000];

export type Fetch = (request: Request) => Promise<Response>;

/**
 * Tabs share the cookie of the refresh token, which is good for one use: the tabs that a browser opens in the morning
 * take turns, and each renews with what the one before was given.
 */
async function oneTabAtATime(renew: () => Promise<Response>): Promise<Response> {
  // Pages that come without TLS from another machine have no locks.
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  return locks ? locks.request("iafa-session", renew) : renew();
}

type Renewal = "done" | "elsewhere" | "refused";

async function renewalOf(answer: Response): Promise<Renewal> {
  if (answer.ok) return "done";
  const problem = (await answer.json().catch(() => null)) as { code?: string } | null;
  return problem?.code === "token_replaced" ? "elsewhere" : "refused";
}

/** It outlives the page: one that is reloaded meanwhile would lose the new token, and the old one is spent. */
const renewing = (origin: string): Request =>
  new Request(origin + REFRESH_PATH, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}", keepalive: true });

/**
 * Sends requests; on a 401 renews the session once and repeats. Several requests that meet an expired session
 * at the same time share one renewal, because a refresh token may be used only once.
 */
export function sessionFetch(send: Fetch): Fetch {
  let renewal: Promise<Renewal> | null = null;
  const renew = (origin: string): Promise<Renewal> => {
    renewal ??= oneTabAtATime(() => send(renewing(origin)))
      .then(renewalOf)
      .finally(() => {
        renewal = null;
      });
    return renewal;
  };
  const repeat = async (request: Request, refused: Response): Promise<Response> => {
    let answer = refused;
    for (const wait of COOKIES_WAIT_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      answer = await send(request.clone());
      if (answer.status !== 401) break;
    }
    return answer;
  };
  return async (request) => {
    const { pathname, origin } = new URL(request.url);
    const again = AUTH_ROUTES.test(pathname) ? null : request.clone();
    const answer = await send(request);
    if (answer.status !== 401 || !again) return answer;
    const renewed = await renew(origin);
    if (renewed === "elsewhere") return repeat(again, answer);
    return renewed === "done" ? send(again) : answer;
  };
}

/** The one session of this page: whoever asks, a renewal is shared. */
export const sessionSend: Fetch = sessionFetch((request) => globalThis.fetch(request));

export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: "same-origin",
  fetch: sessionSend,
  // Lists go as repeated names, as the service reads them.
  querySerializer: { array: { style: "form", explode: true } },
});

/** For those who have a link and no session: no cookie is sent, and nothing is renewed. */
export const openApi = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: "omit",
  fetch: (request) => globalThis.fetch(request),
});

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of a successful answer; every other answer becomes an ApiProblem. */
export async function dataOf<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer;
  if (!response.ok) throw problemFrom(response.status, error);
  return data as Data;
}
