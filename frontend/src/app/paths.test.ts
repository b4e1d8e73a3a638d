import { expect, test } from "vitest";
import { paths, safeNext } from "./paths";

test("ids cannot break out of their place in the address", () => {
  expect(paths.funnel("a/../b", "x?y#z")).toBe("/p/a%2F..%2Fb/funnels/x%3Fy%23z");
});

test("after sign-in only paths of this site are followed", () => {
  expect(safeNext("/p/1/funnels?range=7d")).toBe("/p/1/funnels?range=7d");
  for (const evil of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", null]) {
    expect(safeNext(evil)).toBe("/");
  }
});
