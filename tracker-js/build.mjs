/** Builds dist/t.js and its second name dist/tracker.js, prints their size, and fails above the byte budget. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const BROTLI_BYTES_MAX = 2300;

// Our own names between modules; none is a name of the browser, of the wire or of the public interface.
const PRIVATE_NAMES =
  /^(anonymousId|json|bytes|dropped|append|take|putBack|clear|sendNext|isWaiting|retryAfter|read|write)$/;

/** The script that a page loads, as one string. */
export function buildScript() {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('src/script-tag.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    target: 'es2018',
    minify: true,
    mangleProps: PRIVATE_NAMES,
    charset: 'ascii',
    write: false,
    logLevel: 'warning',
  });
  return outputFiles.map((file) => file.text).join('');
}

function build() {
  const script = buildScript();
  mkdirSync(new URL('dist/', import.meta.url), { recursive: true });
  for (const name of ['t.js', 'tracker.js']) writeFileSync(new URL(`dist/${name}`, import.meta.url), script);

  const gzip = gzipSync(script, { level: 9 }).length;
  const brotli = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  console.table({ 't.js': { raw: Buffer.byteLength(script), gzip, brotli, 'brotli limit': BROTLI_BYTES_MAX } });
  if (brotli > BROTLI_BYTES_MAX) {
    console.error(`t.js has ${brotli} bytes after brotli, ${brotli - BROTLI_BYTES_MAX} above its limit`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
