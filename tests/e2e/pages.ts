/** Every page of the dashboard and the file that holds it to `expectToStand`. A page without a line fails the build. */

/** By the pattern of its route: the file, without `.e2e.test.ts`. The router's test compares the patterns, `all-stood.ts` the deeds. */
export const STANDS_IN: Readonly<Record<string, string>> = {
  "/sign-in": "dashboard",
  "/sign-up": "first-funnel",
  "/join": "manage",
  "/s/:token": "boards",
  "/projects": "dashboard",
  "/projects/new": "first-funnel",
  "/p/:projectId/setup": "manage",
  "/p/:projectId/settings": "manage",
  "/p/:projectId/funnels": "funnels",
  "/p/:projectId/funnels/new": "funnels",
  "/p/:projectId/funnels/:funnelId": "funnels",
  "/p/:projectId/funnels/:funnelId/edit": "dashboard",
  "/p/:projectId/overview": "explore",
  "/p/:projectId/trends": "explore",
  "/p/:projectId/retention": "explore",
  "/p/:projectId/paths": "explore",
  "/p/:projectId/sessions": "data",
  "/p/:projectId/events": "data",
  "/p/:projectId/live": "data",
  "/p/:projectId/people": "data",
  "/p/:projectId/person": "data",
  "/p/:projectId/anomalies": "watch",
  "/p/:projectId/alerts": "watch",
  "/p/:projectId/boards": "boards",
  "/p/:projectId/boards/:boardId": "boards",
  "/p/:projectId/quality": "manage",
  "/members": "manage",
  "/audit": "manage",
  "/system": "manage",
  "*": "dashboard",
};

/** Routes that show nothing by themselves and lead on at once. */
export const LEADS_ON: readonly string[] = ["/"];

const isParameter = (part: string): boolean => part.startsWith(":");

/** The pattern that the router would choose for a path: of those that fit, the one with the fewest parameters. */
export function patternOf(path: string): string {
  const parts = path.split("/");
  const fits = (pattern: string): boolean => {
    const wanted = pattern.split("/");
    return wanted.length === parts.length && wanted.every((part, index) => (isParameter(part) ? parts[index] !== "" : part === parts[index]));
  };
  const parameters = (pattern: string): number => pattern.split("/").filter(isParameter).length;
  const fitting = [...Object.keys(STANDS_IN), ...LEADS_ON].filter((pattern) => pattern !== "*" && fits(pattern));
  return fitting.toSorted((one, other) => parameters(one) - parameters(other))[0] ?? "*";
}
