/** Runs with every file of browser tests: what pages.ts says that it holds to stand, it must have held. */
import { afterAll, expect, type RunnerTestSuite } from "vitest";
import { stood } from "./page-checks";
import { STANDS_IN } from "./pages";

const FILE = /([^/]+)\.e2e\.test\.ts$/;

/** One test by name, no Chromium, or a failure that tells more: then pages may be missing. */
const isWhole = (suite: Readonly<RunnerTestSuite>): boolean =>
  suite.tasks.every((task) => (task.type === "suite" ? isWhole(task) : task.result?.state === "pass"));

// The runner reads from the pattern which fixtures a hook wants: none.
// eslint-disable-next-line no-empty-pattern
afterAll(({}, file) => {
  const name = FILE.exec(expect.getState().testPath ?? "")?.[1];
  if (!isWhole(file)) return;
  const missed = Object.entries(STANDS_IN).flatMap(([pattern, by]) => (by === name && !stood.has(pattern) ? [pattern] : []));
  expect(missed, `pages that ${name} has to hold to expectToStand, by pages.ts`).toEqual([]);
});
