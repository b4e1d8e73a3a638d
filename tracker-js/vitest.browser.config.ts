import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.e2e.test.ts'],
    environment: 'node',
    // A bound for what hangs; a busy machine needs a minute for the thirty pages of one test.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
