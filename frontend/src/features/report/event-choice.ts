/** An event that a report begins or ends with. */
import type { Condition } from "@/api/types";

export interface EventChoice {
  /** A name, a path of pages that begins with a slash, or "" for any. */
  event: string;
  filters: Condition[];
}

/** The names among events of a question, of which properties are suggested; pages and "any" have none. */
export const namesAmong = (...events: readonly string[]): string[] => events.map((one) => one.trim()).filter((one) => one !== "" && one !== "*" && !one.startsWith("/"));

/** The event as reports take it. */
export const matcherOf = ({ event, filters }: EventChoice) => ({ ...eventOrPage(event), filters });

export const eventOrPage = (event: string): { page: string } | { event: string } => (event.startsWith("/") ? { page: event } : { event: event || "*" });
