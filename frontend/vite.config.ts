import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const server = process.env.VITE_API_URL ?? "http://127.0.0.1:8000";
const served = ["/api", "/e/", "/tracker.js", "/t.js", "/track", "/health", "/docs", "/openapi.json"];

const outDir = fileURLToPath(new URL("../backend/iafa/static/dashboard", import.meta.url));
const PACKED_FROM_BYTES = 1024;

/** Lays a compressed copy beside every text, which the service sends to browsers that can read it. */
function packed(): Plugin {
  const encodings = [
    [".br", promisify(brotliCompress)],
    [".gz", (text: Buffer) => promisify(gzip)(text, { level: 9 })],
  ] as const;
  const pack = async (path: string): Promise<void> => {
    const text = await readFile(path);
    if (text.length < PACKED_FROM_BYTES) return;
    await Promise.all(encodings.map(async ([suffix, compress]) => writeFile(path + suffix, await compress(text))));
  };
  return {
    name: "packed",
    apply: "build",
    async closeBundle() {
      const names = await readdir(outDir, { recursive: true });
      await Promise.all(names.filter((name) => /\.(js|css|html|svg)$/.test(name)).map((name) => pack(join(outDir, name))));
    },
  };
}

/** The one font that every page needs is asked for together with the script, not when the first text is drawn. */
function earlyFont(): Plugin {
  return {
    name: "early-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const font = Object.keys(bundle ?? {}).find((name) => /inter-latin-wght-normal.*\.woff2$/.test(name));
        if (!font) throw new Error("the font of the dashboard is not in the build");
        return [{ tag: "link", attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `/${font}` }, injectTo: "head-prepend" }];
      },
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [react(), tailwindcss(), earlyFont(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir,
    emptyOutDir: true,
    assetsDir: "assets",
    // Data URLs would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    manifest: true,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        // Few files: what every page needs at start, and what most pages share; the rest is the pages' own.
        codeSplitting: {
          groups: [
            { name: "start", tags: ["$initial"], priority: 3 },
            { name: "forms", test: /\/(zod|react-hook-form|@hookform)\//, priority: 2 },
            { name: "parts", test: /\/src\/(ui|lib\/(?!form-errors)|features\/report)|\/lucide-react\//, minShareCount: 3, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: Object.fromEntries(served.map((path) => [path, { target: server }])),
  },
});
