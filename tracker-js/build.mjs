/**
 * Builds what the service serves and what npm publishes, prints the sizes, and fails above a byte budget.
 *
 * dist/t.js (and its other name tracker.js), t.lite.js, t.web.js, t.vitals.js, stub.js; each script also under a name
 * that carries its hash, with a Brotli and a gzip copy; builds.json names them; npm/ holds the package.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { minify_sync } from 'terser';

/** @typedef {{identity: boolean, retry: boolean, rules: boolean, debug: boolean, vitals: boolean}} Features */
const NOTHING = { identity: false, retry: false, rules: false, debug: false, vitals: false };
const FULL = { identity: true, retry: true, rules: true, debug: true, vitals: false };
const EVERYTHING = { ...FULL, vitals: true };

/**
 * One source; a build is an entry, the features it keeps, and the most bytes it may have after Brotli.
 * @type {Record<string, {entry: string, features: Features, budget: number}>}
 */
export const BUILDS = {
  't.lite': { entry: 'lite', features: NOTHING, budget: 550 },
  // The aim is 1450 for the web build and 2300 for the full one.
  't.web': { entry: 'script-tag', features: NOTHING, budget: 1485 },
  t: { entry: 'script-tag', features: FULL, budget: 2470 },
  't.vitals': { entry: 'script-tag', features: EVERYTHING, budget: 2900 },
  stub: { entry: 'stub', features: NOTHING, budget: 300 },
};

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string} entry @param {Features} features @param {'iife' | 'esm' | 'cjs'} format */
function bundle(entry, features, format) {
  const flags = Object.entries(features).map(([name, isIn]) => [`WITH.${name}`, String(isIn)]);
  const { outputFiles } = buildSync({
    entryPoints: [here(`src/${entry}`)],
    bundle: true,
    format,
    target: 'es2021',
    minify: format === 'iife',
    charset: 'ascii',
    external: ['react', 'iafa-tracker'],
    define: { BAKED: '$', ...Object.fromEntries(flags) },
    // Strict code would say so in the file; modules are strict while they are checked.
    tsconfigRaw: { compilerOptions: { alwaysStrict: false, jsx: 'react-jsx' } },
    write: false,
    logLevel: 'warning',
  });
  return outputFiles.map((file) => file.text).join('');
}

/**
 * The script of a build as one string. It ends in `({});`: a server that bakes a project's settings into the file puts
 * them there.
 * @param {string} name
 */
export function buildScript(name = 't') {
  const { entry, features } = BUILDS[name] ?? {};
  if (!entry || !features) throw new Error(`there is no build ${name}`);
  const text = bundle(`${entry}.ts`, features, 'iife').trim();
  if (!/^\(\(\)=>\{.*\}\)\(\);$/s.test(text)) throw new Error(`${name}: esbuild wraps the script in another way`);
  if (name === 'stub') return text.slice('(()=>{'.length, -'})();'.length);
  const { code = '' } = minify_sync(text.replace(/^\(\(\)=>(.*)\)\(\);$/s, '$=>$1'), {
    ecma: 2020,
    compress: { expression: true, passes: 5, ecma: 2020, unsafe: true, unsafe_methods: true, pure_getters: true, keep_fargs: false, comparisons: false, booleans_as_integers: true },
  });
  return `(${code.replace(/;$/, '')})({});`;
}

/**
 * The smaller of what the encoder makes of it as text and as any data; a window of 64 KiB has the shortest header.
 * @param {string} text
 */
export function brotli(text) {
  const [first, second] = [constants.BROTLI_MODE_TEXT, constants.BROTLI_MODE_GENERIC].map((mode) =>
    brotliCompressSync(text, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 16,
        [constants.BROTLI_PARAM_MODE]: mode,
      },
    }),
  );
  if (!first || !second) throw new Error('the encoder gave nothing');
  return first.length < second.length ? first : second;
}

/**
 * Bytes above the budget of a build; 0 if it keeps within.
 * @param {number} budget @param {string} text
 */
export function bytesAbove(budget, text) {
  return Math.max(0, brotli(text).length - budget);
}

/** @param {string} folder @param {string} file @param {string} text */
function writeScript(folder, file, text) {
  writeFileSync(`${folder}/${file}`, text);
  writeFileSync(`${folder}/${file}.br`, brotli(text));
  writeFileSync(`${folder}/${file}.gz`, gzipSync(text, { level: 9 }));
}

/**
 * All scripts. A file above its budget makes the process fail.
 * @param {string} folder
 */
export function buildScripts(folder) {
  /** @type {Record<string, object>} */
  const sizes = {};
  /** @type {Record<string, object>} */
  const builds = {};
  for (const [name, { budget }] of Object.entries(BUILDS)) {
    const text = buildScript(name);
    const hash = createHash('sha384').update(text);
    const digest = hash.copy().digest('hex').slice(0, 16);
    if (name === 'stub') writeFileSync(`${folder}/stub.js`, text);
    else {
      const hashed = `${name}.${digest}.js`;
      const files = name === 't' ? ['t.js', 'tracker.js', hashed] : [`${name}.js`, hashed];
      for (const file of files) writeScript(folder, file, text);
      builds[name] = { file: hashed, integrity: `sha384-${hash.digest('base64')}` };
    }
    const [gzip, compressed] = [gzipSync(text, { level: 9 }).length, brotli(text).length];
    sizes[`${name}.js`] = { raw: Buffer.byteLength(text), gzip, brotli: compressed, budget };
    const above = bytesAbove(budget, text);
    if (above) {
      console.error(`${name}.js has ${compressed} bytes after Brotli, ${above} above its budget`);
      process.exitCode = 1;
    }
  }
  writeFileSync(`${folder}/builds.json`, JSON.stringify(builds, null, 2));
  console.table(sizes);
}

/**
 * The package as it would be published: ES module, CommonJS and types for each entry.
 * @param {string} folder
 */
export function buildPackage(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [entry, file] of Object.entries({ 'npm.ts': 'index', 'react.tsx': 'react' })) {
    writeFileSync(`${folder}/${file}.js`, bundle(entry, EVERYTHING, 'esm'));
    writeFileSync(`${folder}/${file}.cjs`, bundle(entry, EVERYTHING, 'cjs'));
  }
  execFileSync(here('node_modules/.bin/tsc'), ['--project', here('tsconfig.package.json'), '--outDir', `${folder}/types`]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = here('dist');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  buildScripts(folder);
  if (process.argv.includes('--package')) buildPackage(`${folder}/npm`);
}
