import { existsSync, readFileSync } from 'node:fs';
import { inRoot, recall, remember, say } from './place.mjs';
import { failureLine, run } from './run.mjs';

const refusalHours = 24;

/** Seconds for the whole download of about 120 MB; without a network the refusal comes at once. */
const downloadSeconds = 180;

/**
 * Electron's binary, fetched once by Electron's own installer.
 * @returns {Promise<{ binary: string } | { absentBecause: string }>}
 */
export async function ensureElectron(node, { again }) {
  const present = electronBinary();
  if (present !== null) return { binary: present };
  const known = recall('electron');
  if (known !== null && !again && Date.now() - known.at < refusalHours * 3_600_000)
    return { absentBecause: known.because };
  say('Electron: fetching its binary …');
  const outcome = await run(node, [inRoot('node_modules', 'electron', 'install.js')], { seconds: downloadSeconds });
  const binary = electronBinary();
  if (binary !== null) return { binary };
  const because = `its binary could not be downloaded: ${outcome.timedOut ? `not within ${downloadSeconds} s` : refusal(outcome.output)}`;
  remember('electron', { at: Date.now(), because });
  return { absentBecause: because };
}

/** @returns {string | null} the binary that is there */
export function electronBinary() {
  try {
    const folder = inRoot('node_modules', 'electron');
    const binary = inRoot('node_modules', 'electron', 'dist', readFileSync(`${folder}/path.txt`, 'utf8').trim());
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

/** @returns {string | null} why a window cannot be opened here, or null */
export function displayObstacle() {
  if (process.platform !== 'linux') return null;
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    return 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  if (process.getuid?.() === 0) return "Electron's sandbox does not run as root";
  return null;
}

/** Node's fetch hides the reason in a cause such as `Error: getaddrinfo ENOTFOUND github.com`. */
function refusal(output) {
  return (
    /(getaddrinfo \S+ \S+|connect \S+ \S+|Response code \d+[^\n]*|HTTPError[^\n]*)/.exec(output)?.[1] ??
    failureLine(output)
  );
}
