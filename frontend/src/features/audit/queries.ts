import { api, dataOf } from "@/api/client";
import type { AuditEntry } from "@/api/types";
import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";

const PAGE = 100;

export interface AuditFilter {
  project_id?: string;
  action?: string;
  start?: string;
  end?: string;
}

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      dataOf(api.GET("/api/v1/audit", { params: { query: { ...filter, limit: PAGE, ...(pageParam && { cursor: pageParam }) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const entriesOf = (pages: readonly { entries: AuditEntry[] }[]): AuditEntry[] => pages.flatMap((page) => page.entries);

export function exportPath(filter: AuditFilter, format: "csv" | "ndjson"): string {
  return `/api/v1/audit/export?${new URLSearchParams({ ...filter, format }).toString()}`;
}
