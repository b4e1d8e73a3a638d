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
