import { matchRoutes, type RouteObject } from "react-router";
import { expect, test } from "vitest";
import { LEADS_ON, patternOf, STANDS_IN } from "../../../tests/e2e/pages";
import { routes } from "./router";

const patternsOf = (all: readonly RouteObject[]): string[] => all.flatMap((one) => [...(one.path === undefined ? [] : [one.path]), ...patternsOf(one.children ?? [])]);
const patterns = patternsOf(routes);

test("every page is held to stand in a browser by a file of tests/e2e that pages.ts names", () => {
  expect([...Object.keys(STANDS_IN), ...LEADS_ON].toSorted()).toEqual(patterns.toSorted());
});

test.each(patterns)("the browser tests know an address of %s for what the router takes it for", (pattern) => {
  const path = pattern === "*" ? "/no/such/page" : pattern.replaceAll(/:\w+/g, "some-id");
  const [chosen] = matchRoutes(routes, path)?.slice(-1) ?? [];
  expect(chosen?.route.path).toBe(pattern);
  expect(patternOf(path)).toBe(pattern);
});
