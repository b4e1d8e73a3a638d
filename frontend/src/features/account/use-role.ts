/** What the signed-in person may do; the service decides, this only hides what it would refuse. */
import type { Role } from "@/api/types";
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "./queries";
import { isAtLeast } from "./roles";

/** Whether the session's role is `least` or higher; false while it is not known. */
export function useMay(least: Role): boolean {
  const role = useQuery(sessionQuery).data?.user.role as Role | undefined;
  return role !== undefined && isAtLeast(role, least);
}
