import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The tests live beside the server's tests; their packages live here.
export default defineConfig({
  root: here("../tests/e2e"),
  resolve: {
    alias: {
      "playwright-core": here("node_modules/playwright-core/index.mjs"),
      "axe-core": here("node_modules/axe-core/axe.js"),
      vitest: here("node_modules/vitest/dist/index.js"),
    },
  },
  server: { fs: { allow: [here(".."), here("../tests/e2e")] } },
  test: {
    environment: "node",
    include: ["**/*.e2e.test.ts"],
    setupFiles: ["all-stood.ts"],
    // Each file has a server and a browser of its own; most of the time they wait for each other.
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
