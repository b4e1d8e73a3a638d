/** The service as component tests see it: contract-shaped answers over HTTP, one project and one funnel to start from. */
import type { Diagnosis, EventName, Funnel, FunnelAnswer, Project, ProjectStatus, Session, TrackingCode } from "@/api/types";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

export const PROJECT_ID = "p1";
export const FUNNEL_ID = "f1";
const TIME = "2026-11-20T09:15:02.123456Z";
const path = (rest: string): string => `*/api/v1${rest}`;

export const session: Session = {
  user: { id: "u1", email: "ana@example.org", full_name: "Ana", role: "owner", created_at: TIME },
  organization: { id: "o1", name: "Engines", created_at: TIME },
};

export const makeProject = (over: Partial<Project> = {}): Project => ({
  id: PROJECT_ID,
  organization_id: "o1",
  name: "Shop",
  domain: null,
  timezone: "UTC",
  allowed_origins: [],
  rate_limit_per_minute: null,
  rate_limit_per_ip_per_minute: null,
  monthly_quota: null,
  sampling: [],
  schemas: [],
  privacy: { ip: "hash", salt: "fixed", deny_properties: [] },
  retention_days: null,
  aggregate_retention_days: null,
  session_gap_seconds: 3600,
  tracker: {
    build: "full",
    auto: true,
    spa: true,
    hash: false,
    local: true,
    dnt: true,
    consent: "granted",
    cookieless: false,
    sample: 1,
    exit: "beacon",
    domains: [],
    exclude: [],
    tag: null,
  },
  version: 1,
  created_at: TIME,
  updated_at: TIME,
  ...over,
});

export const makeFunnel = (over: Partial<Funnel> = {}): Funnel => ({
  id: FUNNEL_ID,
  project_id: PROJECT_ID,
  name: "Checkout",
  description: null,
  window_seconds: 604_800,
  filters: [],
  stages: [
    { name: "View", order: 1, event: "view", filters: [] },
    { name: "Buy", order: 2, event: "buy", filters: [] },
  ],
  version: 1,
  created_at: TIME,
  updated_at: TIME,
  ...over,
});

export const makeAnswer = (people: readonly number[], over: Partial<FunnelAnswer> = {}): FunnelAnswer => {
  const first = people[0] ?? 0;
  const rate = (part: number, whole: number): number => (whole ? Math.round((10_000 * part) / whole) / 100 : 0);
  const names = ["View", "Buy", "Thanks"];
  const answer = {
    funnel_id: FUNNEL_ID,
    name: "Checkout",
    date_range: { start: "2026-10-22", end: "2026-11-20" },
    stages: people.map((users, index) => ({
      stage_name: names[index] ?? `Stage ${index + 1}`,
      order: index + 1,
      users,
      users_max: users,
      conversion_rate: rate(users, first),
      drop_off_rate: index === 0 ? 0 : rate((people[index - 1] ?? 0) - users, people[index - 1] ?? 0),
    })),
    overall_conversion_rate: rate(people.at(-1) ?? 0, first),
    people_total: first,
    fallback_people: 0,
    open: 0,
    window_seconds: 604_800,
    timezone: "UTC",
    semantics: "iafa" as const,
    semantics_version: 1,
    data_version: "1.1",
    as_of: TIME,
    rows_read: 10,
    elapsed_ms: 4,
  };
  return { ...answer, ...over } as FunnelAnswer;
};

const noEvents: ProjectStatus = {
  events_total: 0,
  first_event_at: null,
  last_event_at: null,
  events_this_month: 0,
  monthly_quota: null,
  month_ends_at: "2026-12-01T00:00:00.000000Z",
  data_version: "1.0",
};
const code: TrackingCode = {
  api_key: "iafa_w_key",
  html: '<script defer src="http://127.0.0.1/tracker.js" data-key="iafa_w_key"></script>',
  script_url: "http://127.0.0.1/tracker.js",
  collector_url: "http://127.0.0.1",
  snippets: { html: "", curl: "curl it", python: "import httpx", node: "await fetch()" },
};

const nothing: Diagnosis["last_24_hours"] = {
  accepted: 0,
  bots: 0,
  duplicates: 0,
  sampled_out: 0,
  invalid: 0,
  rate_limited: 0,
  quota_exceeded: 0,
  refused_requests: 0,
  tracker_fetches: 0,
  reasons: {},
};

export const diagnosis: Diagnosis = {
  project_id: PROJECT_ID,
  checked_at: TIME,
  counted_since: TIME,
  is_receiving: false,
  last_request_at: null,
  last_accepted_at: null,
  last_tracker_fetch_at: null,
  last_15_minutes: nothing,
  last_24_hours: nothing,
  minutes: [],
  findings: [],
};

export const answers = {
  get: (rest: string, body: object) => http.get(path(rest), () => HttpResponse.json(body)),
  problem: (method: "get" | "post" | "put", rest: string, status: number, body: object) =>
    http[method](path(rest), () => HttpResponse.json({ status, ...body }, { status, headers: { "Content-Type": "application/problem+json" } })),
  seen: (names: readonly string[]) => {
    const events: EventName[] = names.map((name, index) => ({ name, count: 100 - index, last_seen: TIME }));
    return http.get(path("/analytics/event-names"), ({ request }) => {
      const words = new URL(request.url).searchParams.get("q") ?? "";
      return HttpResponse.json({ event_names: events.filter((event) => event.name.includes(words)), data_version: "1.1" });
    });
  },
};

export const service = setupServer(
  answers.get("/auth/me", session),
  answers.get("/projects", { projects: [makeProject()] }),
  answers.get("/projects/:id", makeProject()),
  answers.get("/projects/:id/status", noEvents),
  answers.get("/projects/:id/tracking-code", code),
  answers.get("/projects/:id/diagnosis", diagnosis),
  answers.get("/analytics/funnel-suggestions", { templates: [], funnels: [], data_version: "1.1" }),
  answers.get("/funnels", { funnels: [makeFunnel()] }),
  answers.get("/funnels/:id", makeFunnel()),
  answers.get("/projects/:id/notes", { notes: [] }),
  answers.get("/funnel-templates", { templates: [] }),
  answers.get("/analytics/funnel/:id", makeAnswer([200, 50])),
  http.post(path("/analytics/funnel"), () => HttpResponse.json(makeAnswer([200, 50]))),
  answers.seen(["view", "buy"]),
  answers.get("/analytics/present", { people: 0, page_views: 0, seconds: 300 }),
  answers.get("/analytics/properties", { properties: [], columns: [], rows_read: 0, is_complete: true, data_version: "1.1" }),
  answers.get("/analytics/properties/values", { property: "", values: [], rows_read: 0, is_complete: true, data_version: "1.1" }),
  answers.get("/analytics/funnel-suggestions", { templates: [], funnels: [], data_version: "1.1" }),
  http.post(path("/analytics/funnel/next-steps"), () => HttpResponse.json({ reached: 0, next_steps: [] })),
  answers.get("/analytics/funnel/:id/users", { stage: 2, kind: "converted", total: 0, people: [], next_cursor: null, has_changed: false, data_version: "1.1" }),
);
