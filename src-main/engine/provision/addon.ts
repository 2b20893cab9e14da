import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type { Libraries } from './layout.ts';
import { lastWords, runProgram } from './run-program.ts';

/** Builds the addon that binds a TensorFlow to Node; injected, so that tests of downloads need no TensorFlow. */
export interface AddonBuilder {
  /** Null when addons can be built here, else why not. */
  obstacle(): Promise<string | null>;
  /** Writes the addon; `libraryFolders` is where the loader will look, `$ORIGIN` being the addon's own folder. */
  build(libraries: Libraries, addonPath: string, libraryFolders: string[]): Promise<BuildOutcome>;
  /** Loads the addon in a process of its own. */
  inspect(addonPath: string): Promise<AddonFacts | { absentBecause: string }>;
}

export type BuildOutcome = { kind: 'built' } | { kind: 'failed'; because: string };

export interface AddonFacts {
  /** The version that the native library reports. */
  version: string;
  /** Whether it sees a CUDA device that it can use. */
  usesGpu: boolean;
}

/** Compiles the sources in @tensorflow/tfjs-node-gpu with the machine's C++ compiler. */
export const compilerAddonBuilder: AddonBuilder = {
  async obstacle() {
    if (process.platform === 'win32')
      return 'on Windows the addon comes with the installer and is not built from sources';
    return (await findCompiler()) === null
      ? 'no C++ compiler was found to build its addon (looked for $CXX, c++, g++, clang++)'
      : null;
  },

  async build(libraries, addonPath, libraryFolders) {
    const compiler = await findCompiler();
    if (compiler === null) return { kind: 'failed', because: 'no C++ compiler was found' };
    const outcome = await runProgram(compiler, compilerArguments(libraries, addonPath, libraryFolders), {
      seconds: 300,
    });
    if (outcome.kind === 'failed') return { kind: 'failed', because: `${compiler}: ${outcome.because}` };
    if (outcome.code === 0) return { kind: 'built' };
    const firstError = outcome.output.split('\n').find((line) => /\berror\b/i.test(line));
    return {
      kind: 'failed',
      because: `${compiler} could not build the addon: ${firstError ?? lastWords(outcome.output)}`,
    };
  },

  async inspect(addonPath) {
    const outcome = await runProgram(process.execPath, ['-e', inspectionScript, addonPath], {
      seconds: 120,
      environment: { TF_CPP_MIN_LOG_LEVEL: '3' },
    });
    if (outcome.kind === 'failed') return { absentBecause: `loading it failed: ${outcome.because}` };
    const facts = /^addon (\S+) (true|false)$/m.exec(outcome.output);
    if (outcome.code !== 0 || facts === null)
      return { absentBecause: `loading it failed: ${loaderError(outcome.output)}` };
    return { version: facts[1] ?? '', usesGpu: facts[2] === 'true' };
  },
};

const inspectionScript = `
const addon = require(process.argv[1]);
process.stdout.write('addon ' + addon.TF_Version + ' ' + Boolean(addon.isUsingGpuDevice()) + '\\n');
`;

async function findCompiler(): Promise<string | null> {
  const candidates = [process.env.CXX, 'c++', 'g++', 'clang++'];
  for (const candidate of candidates) {
    if (!candidate) continue;
    const outcome = await runProgram(candidate, ['--version'], { seconds: 20 });
    if (outcome.kind === 'exited' && outcome.code === 0) return candidate;
  }
  return null;
}

function compilerArguments(libraries: Libraries, addonPath: string, libraryFolders: string[]): string[] {
  const require = createRequire(import.meta.url);
  const sources = path.join(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding');
  const nodeApi = require('node-api-headers') as { include_dir: string };
  return [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-w',
    '-DNAPI_VERSION=8',
    '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    `-I${nodeApi.include_dir}`,
    `-I${libraries.includeFolder}`,
    // Node itself provides the Node-API symbols when it loads the addon.
    ...(process.platform === 'darwin'
      ? ['-bundle', '-undefined', 'dynamic_lookup']
      : ['-shared', '-Wl,--no-as-needed']),
    ...readdirSync(sources)
      .filter((name) => name.endsWith('.cc'))
      .map((name) => path.join(sources, name)),
    ...libraries.names.map((name) => path.join(libraries.folder, name)),
    ...libraryFolders.map(
      (folder) => `-Wl,-rpath,${process.platform === 'darwin' ? folder.replace('$ORIGIN', '@loader_path') : folder}`,
    ),
    '-o',
    addonPath,
  ];
}

/** Node prints the failing line and a stack around the message that says what is missing. */
function loaderError(output: string): string {
  return (
    output
      .split('\n')
      .find((line) => /Error:/.test(line))
      ?.trim() ?? lastWords(output)
  );
}
