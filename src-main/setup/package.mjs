import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ensureBuild } from './build.mjs';
import { ensureElectron } from './electron.mjs';
import { ensureEngine, installedEngine } from './engine.mjs';
import { ensurePackages } from './packages.mjs';
import { inRoot, say } from './place.mjs';
import { run } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `npm run package [-- ARGUMENTS OF ELECTRON-BUILDER]`: the installers of this platform, in release/. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  await ensureEngine(node, { again: true });
  await ensureBuild(node);
  stageResources(node);
  const electron = await ensureElectron(node, { again: true });
  if ('absentBecause' in electron) throw new Error(`Installers cannot be built: ${electron.absentBecause}.`);
  const builder = inRoot('node_modules', 'electron-builder', 'cli.js');
  const { code } = await run(node, [builder, '--publish=never', ...process.argv.slice(2)], { show: true });
  process.exitCode = code;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Puts what ships outside the archive where electron-builder.yml looks for it. */
function stageResources(node) {
  const folder = inRoot('dist', 'resources');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'node'), { recursive: true });
  mkdirSync(path.join(folder, 'engines'), { recursive: true });
  cpSync(node, path.join(folder, 'node', path.basename(node)));
  const license = path.join(path.dirname(node), '..', 'LICENSE');
  if (existsSync(license)) cpSync(license, path.join(folder, 'node', 'LICENSE'));
  const engine = installedEngine();
  if (engine === null) {
    say('Engine: there is no TensorFlow to ship; the packaged app trains with WebAssembly until it has fetched one.');
    return;
  }
  const target = path.join(folder, 'engines', path.basename(engine));
  mkdirSync(target);
  // Headers are for building; the addon is built.
  for (const name of readdirSync(engine).filter((name) => name !== 'include')) {
    cpSync(path.join(engine, name), path.join(target, name), { recursive: true });
  }
}
