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
  funnels: (projectId: string) => `${project(projectId)}/funnels`,
  newFunnel: (projectId: string, from?: string) => `${project(projectId)}/funnels/new${from ? `?from=${encodeURIComponent(from)}` : ""}`,
  funnel: (projectId: string, funnelId: string) => `${project(projectId)}/funnels/${encodeURIComponent(funnelId)}`,
  editFunnel: (projectId: string, funnelId: string) => `${project(projectId)}/funnels/${encodeURIComponent(funnelId)}/edit`,
};

/** A path of this site to go back to after signing in; anything that could leave the site leads home. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : paths.home;
}
