import { useParams } from "react-router";

/** The project of the address; only pages under `/p/:projectId` may ask. */
export function useProjectId(): string {
  const { projectId } = useParams();
  if (!projectId) throw new Error("this page has no project in its address");
  return projectId;
}

export function useFunnelId(): string {
  const { funnelId } = useParams();
  if (!funnelId) throw new Error("this page has no funnel in its address");
  return funnelId;
}
