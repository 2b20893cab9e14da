import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, say } from './place.mjs';
import { failureLine, run } from './run.mjs';

/** Installs exactly what package-lock.json names, without running any package's install script (see .npmrc). */
export async function ensurePackages() {
  if (packagesMatchLock()) return;
  say('Packages: installing what package-lock.json names (npm ci) …');
  const started = Date.now();
  const npm = npmCommand();
  const { code, output } = await run(
    npm.program,
    [...npm.arguments, 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      shell: npm.shell,
    },
  );
  if (code !== 0 || !packagesMatchLock()) {
    throw new Error(
      `Packages: npm ci failed: ${failureLine(output)}. Winnow cannot run without them; check the network and try again.`,
    );
  }
  say(`Packages: installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** npm writes what it has installed to `node_modules/.package-lock.json`; packages for other platforms are left out there. */
export function packagesMatchLock() {
  const wanted = readLock(inRoot('package-lock.json'));
  const installed = readLock(inRoot('node_modules', '.package-lock.json'));
  if (wanted === null || installed === null) return false;
  return Object.entries(wanted).every(([folder, entry]) => {
    if (folder === '') return true;
    const present = installed[folder];
    return present === undefined
      ? entry.optional === true || entry.devOptional === true
      : present.version === entry.version;
  });
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

/** The npm that runs this script, else the one beside Node, else the one on PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running?.endsWith('.js') && existsSync(running))
    return { program: process.execPath, arguments: [running], shell: false };
  const beside = path.join(path.dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (existsSync(beside)) return { program: process.execPath, arguments: [beside], shell: false };
  // Windows starts `npm.cmd` only through a shell; nothing in the arguments comes from outside.
  return { program: 'npm', arguments: [], shell: process.platform === 'win32' };
}
