import { expect, test } from "vitest";
import { isAtLeast, ROLES } from "./roles";

test("a role may what lower ones may, and no more", () => {
  expect(ROLES.map((least) => isAtLeast("editor", least))).toEqual([true, true, false, false]);
  expect(ROLES.map((role) => isAtLeast(role, "admin"))).toEqual([false, false, true, true]);
});
