import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const NEED_A_PAGE = ["src/api/client.test.ts"];

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: {
    css: false,
    testTimeout: 30_000,
    restoreMocks: true,
    projects: [
      // Plain functions need no page, which takes longer to make than they to be tested.
      {
        extends: true,
        test: { name: "functions", include: ["src/**/*.test.ts"], exclude: NEED_A_PAGE, environment: "node" },
      },
      {
        extends: true,
        test: {
          name: "pages",
          include: ["src/**/*.test.tsx", ...NEED_A_PAGE],
          environment: "jsdom",
          environmentOptions: { jsdom: { url: "http://127.0.0.1/" } },
          setupFiles: ["src/test/setup.ts"],
        },
      },
    ],
  },
});
