/** Roles of members, lowest first. */
import type { Role } from "@/api/types";

export const ROLES: readonly Role[] = ["viewer", "editor", "admin", "owner"];

export const isAtLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);
