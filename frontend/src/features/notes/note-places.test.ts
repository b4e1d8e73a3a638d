import type { SavedNote } from "@/api/saved-types";
import { expect, test } from "vitest";
import { placeNotes, spanOf } from "./note-places";

const note = (start: string, end: string | null = null): SavedNote => ({ id: "n", start, end, text: "x" }) as SavedNote;
const DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"];
const WEEKS = ["2026-10-26", "2026-11-02"];
const HOURS = ["2026-11-01T00:00:00+00:00", "2026-11-01T01:00:00+00:00", "2026-11-01T02:00:00+00:00"];

test.each<[string, SavedNote, string[], number[]]>([
  ["on its day", note("2026-11-02"), DAYS, [1]],
  ["before", note("2026-10-31"), DAYS, []],
  ["after", note("2026-11-04"), DAYS, []],
  ["reaching in", note("2026-10-30", "2026-11-01"), DAYS, [0]],
  ["inside the last week", note("2026-11-07"), WEEKS, [1]],
  ["a day among hours", note("2026-11-01"), HOURS, [0]],
  ["an instant among hours", note("2026-11-01T01:30:00Z"), HOURS, [1]],
  ["no buckets", note("2026-11-01"), [], []],
])("%s", (_why, one, dates, places) => expect(placeNotes([one], dates, "UTC").map((found) => found.at)).toEqual(places));

test("the last bucket is as long as those before", () => expect(spanOf(WEEKS)).toEqual({ start: "2026-10-26", end: "2026-11-08" }));
