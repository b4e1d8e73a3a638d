import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The first test of a file makes the script that it runs.
    testTimeout: 60_000,
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.e2e.test.ts'],
    environment: 'node',
  },
});
