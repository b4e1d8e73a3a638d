/** Every address of the dashboard; links are made here and nowhere else. */
const project = (projectId: string): string => `/p/${encodeURIComponent(projectId)}`;

export const paths = {
  home: "/",
  signIn: "/sign-in",
  signUp: "/sign-up",
  projects: "/projects",
  newProject: "/projects/new",
  setup: (projectId: string) => `${project(projectId)}/setup`,
  settings: (projectId: string) => `${project(projectId)}/settings`,
  members: "/members",
  audit: "/audit",
  system: "/system",
  shared: (token: string) => `/s/${encodeURIComponent(token)}`,
  overview: (projectId: string) => `${project(projectId)}/overview`,
  trends: (projectId: string) => `${project(projectId)}/trends`,
  retention: (projectId: string) => `${project(projectId)}/retention`,
  flows: (projectId: string) => `${project(projectId)}/paths`,
  sessions: (projectId: string) => `${project(projectId)}/sessions`,
  events: (projectId: string) => `${project(projectId)}/events`,
  live: (projectId: string) => `${project(projectId)}/live`,
  people: (projectId: string) => `${project(projectId)}/people`,
  /** The id is a parameter: a person's id may hold any character, a slash, too. */
  person: (projectId: string, userId: string) => `${project(projectId)}/person?id=${encodeURIComponent(userId)}`,
  anomalies: (projectId: string) => `${project(projectId)}/anomalies`,
  alerts: (projectId: string) => `${project(projectId)}/alerts`,
  boards: (projectId: string) => `${project(projectId)}/boards`,
  board: (projectId: string, boardId: string) => `${project(projectId)}/boards/${encodeURIComponent(boardId)}`,
  quality: (projectId: string) => `${project(projectId)}/quality`,
  funnels: (projectId: string) => `${project(projectId)}/funnels`,
  newFunnel: (projectId: string, from?: string) => `${project(projectId)}/funnels/new${from ? `?from=${encodeURIComponent(from)}` : ""}`,
  funnel: (projectId: string, funnelId: string) => `${project(projectId)}/funnels/${encodeURIComponent(funnelId)}`,
  editFunnel: (projectId: string, funnelId: string) => `${project(projectId)}/funnels/${encodeURIComponent(funnelId)}/edit`,
};

/** A path of this site to go back to after signing in; anything that could leave the site leads home. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : paths.home;
}
