import { expect, test } from "vitest";
import { binName } from "./time-bins";

test.each([
  [0, 1, "under 1 s"],
  [1, 10, "1 – 10 s"],
  [10, 60, "10 s – 1 min"],
  [60, 300, "1 – 5 min"],
  [259_200, 604_800, "3 – 7 d"],
  [2_592_000, null, "over 30 d"],
])("the bin from %j to %j reads %j", (from, to, text) => expect(binName(from, to)).toBe(text));
