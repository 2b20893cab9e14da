import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './packages.mjs';
import { inRoot, say } from './place.mjs';
import { run } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `npm run verify [-- STEP …]`: every check that reads the sources without running them. */

const cache = 'node_modules/.cache';

const steps = {
  types: ['typescript/bin/tsc', '--build', '--noEmit'],
  'types of components': [
    'svelte-check/bin/svelte-check',
    '--tsconfig',
    'tsconfig.renderer.json',
    '--fail-on-warnings',
    '--output',
    'human',
  ],
  lint: ['eslint/bin/eslint.js', '.', '--max-warnings=0', '--cache', '--cache-location', `${cache}/eslint/`],
  format: [
    'prettier/bin/prettier.cjs',
    '--check',
    '.',
    '--log-level=warn',
    '--cache',
    '--cache-location',
    `${cache}/prettier/verify`,
  ],
  imports: [
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    'shared',
    'src-main',
    'src-renderer',
    'test',
  ],
  'unused code': ['knip/bin/knip.js'],
};

/**
 * Runs the named checks, or all, and prints a line for each, with its output where it fails.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function verify(node, names = Object.keys(steps)) {
  let failed = 0;
  for (const name of names) {
    const [tool, ...toolArguments] = steps[name];
    const started = Date.now();
    const { code, output } = await run(node, [inRoot('node_modules', tool), ...toolArguments]);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    if (code === 0) {
      say(`  ok      ${name} (${seconds} s)`);
    } else {
      failed += 1;
      say(`  FAILED  ${name} (${seconds} s)\n${output.trimEnd()}`);
    }
  }
  return { passed: names.length - failed, failed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const names = process.argv.slice(2);
    const unknown = names.find((name) => !(name in steps));
    if (unknown !== undefined)
      throw new Error(`There is no check "${unknown}". There are: ${Object.keys(steps).join(', ')}.`);
    await ensurePackages();
    const { passed, failed } = await verify(nodeRuntime(), names.length > 0 ? names : undefined);
    say(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
