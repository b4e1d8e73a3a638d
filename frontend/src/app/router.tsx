import { createBrowserRouter, type RouteObject } from "react-router";
import { AppFrame } from "./app-frame";
import { CrashPage, NotFoundPage } from "./fallback-pages";
import { HomeRedirect } from "./home-redirect";
import { FrameSkeleton, RequireSession } from "./require-session";

const page = (load: () => Promise<{ default: React.ComponentType }>): NonNullable<RouteObject["lazy"]> => {
  return async () => ({ Component: (await load()).default });
};

export const routes: RouteObject[] = [
  {
    ErrorBoundary: CrashPage,
    HydrateFallback: FrameSkeleton,
    children: [
      { path: "/sign-in", lazy: page(() => import("@/features/account/sign-in-page")) },
      { path: "/s/:token", lazy: page(() => import("@/features/sharing/shared-page")) },
      { path: "/join", lazy: page(() => import("@/features/account/join-page")) },
      { path: "/sign-up", lazy: page(() => import("@/features/account/sign-up-page")) },
      {
        Component: RequireSession,
        children: [
          { path: "/", Component: HomeRedirect },
          {
            Component: AppFrame,
            children: [
              {
                // Inside the frame, so that a crashed page leaves the navigation in place.
                ErrorBoundary: CrashPage,
                children: [
                  { path: "/projects", lazy: page(() => import("@/features/projects/project-list-page")) },
                  { path: "/projects/new", lazy: page(() => import("@/features/projects/new-project-page")) },
                  { path: "/p/:projectId/setup", lazy: page(() => import("@/features/setup/setup-page")) },
                  { path: "/p/:projectId/settings", lazy: page(() => import("@/features/projects/settings-page")) },
                  { path: "/p/:projectId/funnels", lazy: page(() => import("@/features/funnels/funnel-list-page")) },
                  { path: "/p/:projectId/funnels/new", lazy: page(() => import("@/features/funnels/new-funnel-page")) },
                  { path: "/p/:projectId/funnels/:funnelId", lazy: page(() => import("@/features/funnels/funnel-page")) },
                  { path: "/p/:projectId/funnels/:funnelId/edit", lazy: page(() => import("@/features/funnels/edit-funnel-page")) },
                  { path: "/p/:projectId/overview", lazy: page(() => import("@/features/overview/overview-page")) },
                  { path: "/p/:projectId/trends", lazy: page(() => import("@/features/trends/trends-page")) },
                  { path: "/p/:projectId/retention", lazy: page(() => import("@/features/retention/retention-page")) },
                  { path: "/p/:projectId/paths", lazy: page(() => import("@/features/flows/flows-page")) },
                  { path: "/p/:projectId/sessions", lazy: page(() => import("@/features/sessions/sessions-page")) },
                  { path: "/p/:projectId/events", lazy: page(() => import("@/features/events/events-page")) },
                  { path: "/p/:projectId/live", lazy: page(() => import("@/features/live/live-page")) },
                  { path: "/p/:projectId/people", lazy: page(() => import("@/features/people/people-page")) },
                  { path: "/p/:projectId/person", lazy: page(() => import("@/features/people/person-page")) },
                  { path: "/p/:projectId/anomalies", lazy: page(() => import("@/features/anomalies/anomalies-page")) },
                  { path: "/p/:projectId/alerts", lazy: page(() => import("@/features/alerts/alerts-page")) },
                  { path: "/p/:projectId/boards", lazy: page(() => import("@/features/boards/board-list-page")) },
                  { path: "/p/:projectId/boards/:boardId", lazy: page(() => import("@/features/boards/board-page")) },
                  { path: "/p/:projectId/quality", lazy: page(() => import("@/features/quality/quality-page")) },
                  { path: "/members", lazy: page(() => import("@/features/members/members-page")) },
                  { path: "/audit", lazy: page(() => import("@/features/audit/audit-page")) },
                  { path: "/system", lazy: page(() => import("@/features/system/system-page")) },
                  { path: "*", Component: NotFoundPage },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
];

export const makeRouter = () => createBrowserRouter(routes);
