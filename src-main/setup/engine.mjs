import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { inRoot, recall, remember, say } from './place.mjs';
import { run } from './run.mjs';

/** A refusal is not asked about again before this; `npm run setup` always asks. */
const refusalHours = 24;

/**
 * Fetches TensorFlow where it can be had. Without it WebAssembly is used, which came with the packages.
 * @param {string} node the Node runtime
 * @param {{ again: boolean }} options `again` asks anew after an earlier refusal
 */
export async function ensureEngine(node, { again }) {
  const known = recall(memoryName());
  if (known?.addonPath && existsSync(known.addonPath)) return;
  if (known?.absentBecause && !again && Date.now() - known.at < refusalHours * 3_600_000) {
    say(
      `Engine: TensorFlow is absent (${known.absentBecause}); WebAssembly is used instead. "npm run setup" asks again.`,
    );
    return;
  }
  say('Engine: looking for TensorFlow …');
  const result = await provision(node);
  if (result.absentBecause) {
    say(`Engine: TensorFlow is absent (${result.absentBecause}); WebAssembly is used instead, which is slower.`);
  } else {
    say(`Engine: TensorFlow ${result.version} (${result.variant === 'gpu' ? 'CUDA' : 'CPU'}), ${result.source}.`);
  }
  remember(memoryName(), { at: Date.now(), addonPath: result.addonPath, absentBecause: result.absentBecause });
}

/** @returns {string | null} the folder of the TensorFlow that set-up found or fetched */
export function installedEngine() {
  const addonPath = recall(memoryName())?.addonPath;
  // The addon lies in `lib/` of the engine's folder.
  return addonPath && existsSync(addonPath) ? path.resolve(addonPath, '..', '..') : null;
}

async function provision(node) {
  const { code, output, stdout } = await run(node, [inRoot('src-main', 'hosts', 'provision.ts')], {
    // Node's own fetch uses a proxy only when told to.
    environment: { NODE_USE_ENV_PROXY: '1', NODE_NO_WARNINGS: '1' },
    showErrors: true,
  });
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } catch {
    return { absentBecause: `fetching it ended with code ${code}: ${output.trim().split('\n').at(-1)}` };
  }
}

/** What was found for one data folder says nothing about another. */
function memoryName() {
  const places = ['WINNOW_TENSORFLOW_DIR', 'WINNOW_HOME', 'XDG_DATA_HOME', 'HOME', 'LOCALAPPDATA'].map(
    (name) => process.env[name] ?? '',
  );
  return `engine-${createHash('sha256').update(places.join('\n')).digest('hex').slice(0, 12)}`;
}
