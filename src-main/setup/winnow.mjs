#!/usr/bin/env node
import { ensureBuild } from './build.mjs';
import { ensurePackages } from './packages.mjs';
import { inRoot } from './place.mjs';
import { become } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `winnow`: the command line on the pinned runtime, built first when its sources are newer. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  const programArguments = process.argv.slice(2);
  await ensureBuild(node, programArguments[0] === 'serve' ? ['main', 'renderer'] : ['main']);
  become(node, [inRoot('dist', 'main', 'cli.js'), ...programArguments]);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
