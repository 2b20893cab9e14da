import { ensureBuild } from './build.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensureElectron } from './electron.mjs';
import { ensureEngine } from './engine.mjs';
import { ensurePackages } from './packages.mjs';
import { say } from './place.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `npm run setup`: everything that `npm start` and `npm test` would fetch and build, asking again for what was refused before. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  await ensureEngine(node, { again: true });
  const electron = await ensureElectron(node, { again: true });
  if ('absentBecause' in electron)
    say(`Electron: ${electron.absentBecause}; "npm start" serves the same interface to a browser instead.`);
  const chromium = await ensureChromium(node);
  if (chromium !== null) say(`Chromium for the tests: ${chromium}`);
  await ensureBuild(node);
  say('Everything that can be had is in place. "npm start" opens Winnow.');
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
