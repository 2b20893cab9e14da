import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './packages.mjs';
import { inRoot, say } from './place.mjs';
import { run } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';
import { sourceDigest } from './sources.mjs';

const outputFolders = { main: inRoot('dist', 'main'), renderer: inRoot('dist', 'renderer') };

/** In each output folder: the digest of the sources it was built from. */
const digestName = '.sources';

const programs = {
  cli: 'src-main/hosts/cli/main.ts',
  trainer: 'src-main/trainer/main.ts',
  'preparation-worker': 'src-main/app/preparation-worker.ts',
  'engine-thread': 'src-main/engine/wasm/thread.ts',
  'feeder-thread': 'src-main/trainer/feeder-thread.ts',
  'electron-main': 'src-main/hosts/electron/main.ts',
  service: 'src-main/hosts/electron/service-process.ts',
};

/** Packages with native parts or with files that they find beside themselves stay in node_modules. */
const external = [/^@tensorflow\//, /^node-api-headers/, 'better-sqlite3', 'sharp', 'electron'];

/**
 * Builds what has changed since the last build.
 * @param {string} node the Node runtime; the bundlers do not run on every Node that set-up runs on
 * @param {('main' | 'renderer')[]} parts
 */
export async function ensureBuild(node, parts = ['main', 'renderer']) {
  const stale = parts.filter((part) => !isBuilt(part));
  if (stale.length === 0) return;
  const started = Date.now();
  const { code, output } = await run(node, [fileURLToPath(import.meta.url), ...stale]);
  if (code !== 0) throw new Error(`Build: ${output.trim()}`);
  say(`Build: ${stale.join(' and ')} in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

/** Whether a part was built from the sources as they are now. */
export function isBuilt(part) {
  const file = path.join(outputFolders[part], digestName);
  return existsSync(file) && readFileSync(file, 'utf8') === sourceDigest(part);
}

/** The processes: one bundle each, with shared chunks beside them. */
async function buildMain(folder) {
  const { build } = await import('rolldown');
  const common = { platform: 'node', cwd: inRoot(), external, logLevel: 'warn' };
  await build({
    ...common,
    input: Object.fromEntries(Object.entries(programs).map(([name, file]) => [name, inRoot(file)])),
    // Chunks lie beside the programs: code that looks for the installation from its own place must find it.
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk-[name]-[hash].js',
      sourcemap: true,
    },
  });
  // A sandboxed preload script can only be CommonJS.
  await build({
    ...common,
    input: inRoot('src-main', 'hosts', 'electron', 'preload.ts'),
    output: { file: path.join(folder, 'preload.cjs'), format: 'cjs', sourcemap: true },
  });
}

async function buildRenderer(folder) {
  const { build } = await import('vite');
  await build({ configFile: inRoot('vite.config.ts'), logLevel: 'warn', build: { outDir: folder } });
}

/** Builds beside the place and moves in what is complete, so that a failed build leaves the last one standing. */
async function buildPart(part) {
  // Sources that change during the build must make the next one stale.
  const digest = sourceDigest(part);
  const unfinished = inRoot('dist', `.unfinished-${part}-${process.pid}`);
  try {
    await (part === 'main' ? buildMain : buildRenderer)(unfinished);
    writeFileSync(path.join(unfinished, digestName), digest);
    mkdirSync(inRoot('dist'), { recursive: true });
    // Another build of these sources was quicker, and what it made may be in use already.
    if (isBuilt(part)) return;
    rmSync(outputFolders[part], { recursive: true, force: true });
    renameSync(unfinished, outputFolders[part]);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const parts = process.argv.slice(2);
    for (const part of parts) await buildPart(part);
    if (parts.length === 0) {
      await ensurePackages();
      await ensureBuild(nodeRuntime());
    }
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
