import { useMay } from "@/features/account/use-role";
import { projectsQuery } from "@/features/projects/queries";
import { Failure } from "@/ui/notice";
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "react-router";
import { lastProject } from "./last-project";
import { paths } from "./paths";
import { FrameSkeleton } from "./require-session";

/** The start page: the overview of the project last seen, or the first steps of who may make one. */
export function HomeRedirect() {
  const projects = useQuery(projectsQuery);
  const mayMake = useMay("admin");
  if (projects.isError) return <Failure error={projects.error} onRetry={() => void projects.refetch()} className="min-h-dvh" />;
  if (!projects.data) return <FrameSkeleton />;
  const last = lastProject();
  const project = projects.data.find((one) => one.id === last) ?? projects.data[0];
  return <Navigate to={project ? paths.overview(project.id) : mayMake ? paths.newProject : paths.projects} replace />;
}
