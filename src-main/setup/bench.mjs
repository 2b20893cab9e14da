import process from 'node:process';
import { ensureEngine } from './engine.mjs';
import { ensurePackages } from './packages.mjs';
import { inRoot } from './place.mjs';
import { run } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `npm run bench`: set-up, then the benchmark of the engines (test/bench/engines.ts), which takes the arguments. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  await ensureEngine(node, { again: false });
  const { code } = await run(node, [inRoot('test', 'bench', 'engines.ts'), ...process.argv.slice(2)], { show: true });
  process.exitCode = code;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
