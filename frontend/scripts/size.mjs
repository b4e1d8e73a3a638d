// Fails when the scripts a first visit must load grow over the budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const budget_bytes = 200 * 1024;
const out = fileURLToPath(new URL("../../backend/iafa/static/dashboard/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${out}.vite/manifest.json`, "utf8"));

function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}

const gzipped = (file) => gzipSync(readFileSync(out + file), { level: 9 }).length;
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const initial = [...closure(entry)].map((key) => manifest[key].file);
const total = initial.reduce((sum, file) => sum + gzipped(file), 0);
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;

for (const file of initial) console.log(`${kilobytes(gzipped(file)).padStart(10)}  ${file}`);
console.log(`${kilobytes(total).padStart(10)}  initial script, gzip; budget ${kilobytes(budget_bytes)}`);
if (initial.some((file) => /chart/.test(file))) {
  console.error("a chart chunk is loaded at start; it must stay lazy");
  process.exit(1);
}
if (total > budget_bytes) {
  console.error("over the budget: split a route or drop a dependency");
  process.exit(1);
}
