import { expect, test } from "vitest";
import { groupRows } from "./overview-math";
import type { SessionGroup } from "./queries";

const group = (value: string | null, sessions: number, kind: SessionGroup["group"] = "value"): SessionGroup => ({ value, group: kind, sessions, people: sessions, events: 0, page_views: 0, bounces: 0, bounce_rate: 0, average_seconds: null, median_seconds: null, events_per_session: null, views_per_session: null });

test("rows say their share; empty groups are no rows; our words are marked", () => {
  const rows = groupRows("channel", [group("search", 3), group("(other)", 1), group(null, 2, "other"), group(null, 0, "none")], 6);
  expect(rows.map((row) => [row.name, row.text, row.detail, row.isOurs ?? false])).toEqual([
    ["Search", "3", "50.0%", false],
    ["(other)", "1", "16.7%", false],
    ["(other)", "2", "33.3%", true],
  ]);
  expect(new Set(rows.map((row) => row.key)).size).toBe(3);
});
