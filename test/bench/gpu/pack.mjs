/*
 * Packs everything that `run.mjs` needs on a bare Linux machine with a GPU driver and nothing else: Node, Dawn, the Vulkan loader, the
 * bundled measurements and the PyTorch counterpart. About 35 MB.
 * usage: node test/bench/gpu/pack.mjs ARCHIVE.tar.xz
 * There: python3 -m tarfile -e ARCHIVE.tar.xz FOLDER && FOLDER/run.sh
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'rolldown';

const here = import.meta.dirname;
const root = path.resolve(here, '..', '..', '..');
const archive = path.resolve(process.argv[2] ?? 'winnow-gpu-bench.tar.xz');
const folder = mkdtempSync(path.join(tmpdir(), 'winnow-gpu-'));

try {
  await build({
    // The second is what the first's WebAssembly engine runs in its other threads, found by its name.
    input: {
      measure: path.join(here, 'measure.ts'),
      'engine-thread': path.join(root, 'src-main', 'engine', 'wasm', 'thread.ts'),
    },
    platform: 'node',
    external: [/^@tensorflow\//],
    logLevel: 'warn',
    output: { dir: folder, format: 'esm' },
  });
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const file of [...loadedFiles(), ...nativeFiles()]) copyFromRoot(file);
  cpSync(process.execPath, path.join(folder, 'node'));
  const loader = vulkanLoader();
  if (loader === null)
    console.warn('There is no Vulkan loader (libvulkan.so.1) here; the other machine must have one.');
  else copyTo(loader, path.join('lib', 'libvulkan.so.1'));
  for (const name of ['run.mjs', '../torch_step.py', 'run.sh'])
    cpSync(path.join(here, name), path.join(folder, path.basename(name)));
  chmodSync(path.join(folder, 'run.sh'), 0o755);
  execFileSync('tar', ['-C', folder, '-cJf', archive, '.'], { env: { ...process.env, XZ_OPT: '-1' } });
  console.log(archive);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What the packages of tfjs load, asked of them; their folders hold ten times as much. */
function loadedFiles() {
  const require = createRequire(import.meta.url);
  const packages = ['tfjs', 'tfjs-core', 'tfjs-backend-wasm', 'tfjs-backend-webgpu'];
  for (const name of packages) require(`@tensorflow/${name}`);
  const files = Object.keys(require.cache).filter((file) => /\/node_modules\/(?!@rolldown)/.test(file));
  // Each package's own description says which of its files is meant.
  const descriptions = files.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)[0] + '/package.json');
  return [...new Set([...files, ...descriptions])].filter((file) => existsSync(file));
}

function nativeFiles() {
  const wasm = ['tfjs-backend-wasm', 'tfjs-backend-wasm-simd', 'tfjs-backend-wasm-threaded-simd'];
  return [
    ...wasm.map((name) => path.join('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist', `${name}.wasm`)),
    ...['index.js', 'package.json', 'LICENSE.md', path.join('dist', `linux-${process.arch}`, 'dawn.node')].map((name) =>
      path.join('node_modules', 'webgpu', name),
    ),
  ].map((file) => path.join(root, file));
}

function copyFromRoot(file) {
  copyTo(file, path.relative(root, file));
}

function copyTo(file, place) {
  const target = path.join(folder, place);
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(file, target);
}

function vulkanLoader() {
  const known = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  const place = /libvulkan\.so\.1 .*=> (.+)/.exec(known)?.[1];
  return place === undefined ? null : realpathSync(place);
}
