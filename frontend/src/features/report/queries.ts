import { api, dataOf } from "@/api/client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

export const NAMES_MAX = 50;
/** How long somebody who types must pause before names are asked for. */
export const TYPING_MS = 150;
const SUGGESTIONS_FRESH_MS = 15_000;
export const LIVE_POLL_MS = 10_000;

export const eventNamesQuery = (projectId: string, words: string) =>
  queryOptions({
    queryKey: ["event-names", projectId, words],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/event-names", {
          params: { query: { project_id: projectId, limit: NAMES_MAX, ...(words && { q: words }) } },
          signal,
        }),
      ),
    select: (answer) => answer.event_names,
    placeholderData: keepPreviousData,
    staleTime: SUGGESTIONS_FRESH_MS,
  });

export const propertiesQuery = (projectId: string, words: string, eventTypes: readonly string[] = []) =>
  queryOptions({
    queryKey: ["properties", projectId, words, eventTypes],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/properties", {
          params: { query: { project_id: projectId, q: words, limit: NAMES_MAX, event_type: [...eventTypes] } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: SUGGESTIONS_FRESH_MS,
  });

export const valuesQuery = (projectId: string, property: string, words: string, eventTypes: readonly string[] = []) =>
  queryOptions({
    queryKey: ["property-values", projectId, property, words, eventTypes],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/analytics/properties/values", {
          params: { query: { project_id: projectId, property, q: words, event_type: [...eventTypes] } },
          signal,
        }),
      ),
    select: (answer) => answer.values,
    enabled: property.trim() !== "",
    // Values of another property are none of this one.
    placeholderData: (previous, query) => (query?.queryKey[2] === property ? previous : undefined),
    staleTime: SUGGESTIONS_FRESH_MS,
  });
