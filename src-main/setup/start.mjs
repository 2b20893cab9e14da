import { ensureBuild } from './build.mjs';
import { displayObstacle, ensureElectron } from './electron.mjs';
import { ensureEngine } from './engine.mjs';
import { ensurePackages } from './packages.mjs';
import { inRoot, say } from './place.mjs';
import { become } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';

/* `npm start [-- FOLDER_OR_PROJECT]`: the app, or the same interface in a browser where a window cannot be opened. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  await ensureEngine(node, { again: false });
  await ensureBuild(node);
  const programArguments = process.argv.slice(2);
  const obstacle = displayObstacle();
  const electron = obstacle === null ? await ensureElectron(node, { again: false }) : { absentBecause: obstacle };
  if ('binary' in electron) {
    become(electron.binary, [inRoot(), ...programArguments]);
  } else {
    say(
      `The app's window cannot be opened: ${electron.absentBecause}. The same interface is served to a browser instead.`,
    );
    become(node, [inRoot('dist', 'main', 'cli.js'), 'serve', ...programArguments]);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
