import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { errorMessage } from '../../../shared/result.ts';
import { download } from './download.ts';
import { locateLibraries, type Libraries, type TensorflowVariant } from './layout.ts';
import { lastWords, runProgram } from './run-program.ts';
import { readZipEntry, unpack } from './unpack.ts';

/** What provisioning tells while it works. */
export type ProvisionProgress =
  | { kind: 'step'; message: string }
  /** `total` is null where it is not known. */
  | { kind: 'download'; name: string; bytes: number; total: number | null };

/** A place that TensorFlow's libraries can be had from. */
export interface LibrarySource {
  /** For people: "TensorFlow 2.18.0 C library". */
  name: string;
  obtain(context: SourceContext): Promise<ObtainedLibraries | { absentBecause: string }>;
}

export interface SourceContext {
  /** Empty and thrown away afterwards. */
  workFolder: string;
  /** Kept until an engine is complete, so that a download can go on where it stopped. */
  downloadFolder: string;
  onProgress: (progress: ProvisionProgress) => void;
}

export interface ObtainedLibraries {
  libraries: Libraries;
  /** A folder `nvidia/` with the CUDA libraries that came along, or null. */
  cudaFolder: string | null;
  /** What it is and how it was checked, for the manifest and for people. */
  source: string;
}

/** The sources for this machine, in the order in which they are asked. */
export function defaultSources(variant: TensorflowVariant): LibrarySource[] {
  const archive = officialArchive(variant);
  return [...(archive === null ? [] : [archiveSource(archive)]), wheelSource(variant)];
}

/** TensorFlow's own C library archive. */
export function archiveSource(archive: { name: string; url: string }): LibrarySource {
  return {
    name: archive.name,
    async obtain({ workFolder, downloadFolder, onProgress }) {
      const file = path.join(downloadFolder, path.posix.basename(new URL(archive.url).pathname));
      const outcome = await download({
        url: archive.url,
        file,
        onProgress: (bytes, total) => onProgress({ kind: 'download', name: archive.name, bytes, total }),
      });
      if (outcome.kind === 'failed') return { absentBecause: `${new URL(archive.url).host}: ${outcome.because}` };
      return unpacked(file, workFolder, `${archive.name} (checked: ${outcome.checked})`, onProgress);
    },
  };
}

/** The libraries inside TensorFlow's Python package, fetched by pip, which checks it against the digest of its index. */
export function wheelSource(variant: TensorflowVariant): LibrarySource {
  const requirement = `${wheelName(variant)}${testedVersions}`;
  return {
    name: `Python wheel ${requirement}`,
    async obtain({ workFolder, onProgress }) {
      const python = await findPip();
      if (python === null) return { absentBecause: 'no Python with pip was found (looked for python3, python)' };
      const wheels = path.join(workFolder, 'wheels');
      const wheel = await pipDownload(python, requirement, wheels, onProgress);
      if ('absentBecause' in wheel) return wheel;
      const cuda = variant === 'gpu' ? await cudaWheels(python, wheel.file, wheels, onProgress) : [];
      if ('absentBecause' in cuda) return cuda;
      const main = await unpacked(
        wheel.file,
        workFolder,
        `wheel ${wheelTitle(wheel.file)} (checked by pip)`,
        onProgress,
      );
      if ('absentBecause' in main || cuda.length === 0) return main;
      const cudaFolder = path.join(workFolder, 'cuda');
      for (const file of cuda)
        await unpack(file, cudaFolder, (entry) => /^nvidia\/[^/]+\/(lib|bin|nvvm)\//.test(entry));
      return { ...main, cudaFolder: path.join(cudaFolder, 'nvidia') };
    },
  };
}

/** The versions that the addon was built against and trained with. */
const testedVersions = '>=2.18,<2.22';

const archiveVersion = '2.18.0';

/** By platform, architecture and variant, as published; there is none for Linux on ARM or for Intel Macs at this version. */
const archiveFiles: Readonly<Record<string, string>> = {
  'linux-x64-cpu': 'libtensorflow-cpu-linux-x86_64.tar.gz',
  'linux-x64-gpu': 'libtensorflow-gpu-linux-x86_64.tar.gz',
  'darwin-arm64-cpu': 'libtensorflow-cpu-darwin-arm64.tar.gz',
  'win32-x64-cpu': 'libtensorflow-cpu-windows-x86_64.zip',
};

function officialArchive(variant: TensorflowVariant): { name: string; url: string } | null {
  const file = archiveFiles[`${process.platform}-${process.arch}-${variant}`];
  if (file === undefined) return null;
  return {
    name: `TensorFlow C library ${archiveVersion}`,
    url: `https://storage.googleapis.com/tensorflow/versions/${archiveVersion}/${file}`,
  };
}

/** The plain package carries CUDA kernels on Linux; a CPU-only one is built for Intel and AMD. */
function wheelName(variant: TensorflowVariant): string {
  return variant === 'cpu' && process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
}

/** Unpacks what the engine needs of an archive or a wheel and finds it. */
async function unpacked(
  file: string,
  workFolder: string,
  source: string,
  onProgress: (progress: ProvisionProgress) => void,
): Promise<ObtainedLibraries | { absentBecause: string }> {
  onProgress({ kind: 'step', message: `unpacking ${path.basename(file)}` });
  const folder = path.join(workFolder, 'unpacked');
  try {
    await unpack(file, folder, isNeeded);
  } catch (error) {
    // A damaged archive is not to be found again by the next attempt.
    await rm(file, { force: true });
    return { absentBecause: `${path.basename(file)} could not be unpacked: ${errorMessage(error)}` };
  }
  const libraries = locateLibraries(folder);
  if (libraries === null)
    return { absentBecause: `${path.basename(file)} does not hold the libraries and headers that are needed` };
  return { libraries, cudaFolder: null, source };
}

/** The two libraries (and, in the C archive, links to them), and the headers that the addon includes. */
function isNeeded(entry: string): boolean {
  const inner = entry.replace(/^tensorflow\/(?=lib|include\/)/, '');
  return (
    /^(lib\/)?(lib)?tensorflow(_cc|_framework)?[.\d]*\.(so|dylib|dll|lib)[.\d]*$/.test(inner) ||
    /^include\/(tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|tsl\/c|xla\/tsl\/c)\/.*\.h$/.test(inner)
  );
}

interface Pip {
  python: string;
  /** pip reports progress to programs since 24.1. */
  reportsProgress: boolean;
}

async function findPip(): Promise<Pip | null> {
  for (const python of ['python3', 'python']) {
    const outcome = await runProgram(python, ['-m', 'pip', '--version'], { seconds: 30 });
    const version = outcome.kind === 'exited' && outcome.code === 0 ? /^pip (\d+)\.(\d+)/m.exec(outcome.output) : null;
    if (version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    return { python, reportsProgress: major > 24 || (major === 24 && minor >= 1) };
  }
  return null;
}

async function pipDownload(
  { python, reportsProgress }: Pip,
  requirement: string,
  folder: string,
  onProgress: (progress: ProvisionProgress) => void,
): Promise<{ file: string } | { absentBecause: string }> {
  onProgress({ kind: 'step', message: `asking pip for ${requirement}` });
  const target = path.join(folder, requirement.replaceAll(/[^\w.-]/g, '_'));
  await mkdir(target, { recursive: true });
  const base = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--dest', target];
  // Few and short tries: without a network the answer is to come soon.
  const patience = ['--timeout', '15', '--retries', '1', '--disable-pip-version-check', '--no-input', '--no-color'];
  const bar = ['--progress-bar', reportsProgress ? 'raw' : 'off'];
  const outcome = await runProgram(python, [...base, ...patience, ...bar, requirement], {
    seconds: 3600,
    onOutput: (text) => {
      const latest = [...text.matchAll(/^Progress (\d+) of (\d+)$/gm)].at(-1);
      if (latest)
        onProgress({ kind: 'download', name: requirement, bytes: Number(latest[1]), total: Number(latest[2]) || null });
    },
  });
  const wheel = readdirSync(target).find((name) => name.endsWith('.whl'));
  if (outcome.kind === 'exited' && outcome.code === 0 && wheel !== undefined) return { file: path.join(target, wheel) };
  const because = outcome.kind === 'failed' ? outcome.because : pipError(outcome.output);
  return { absentBecause: `pip: ${because}` };
}

/** The CUDA libraries that the wheel names as its extra `and-cuda`. */
async function cudaWheels(
  pip: Pip,
  wheel: string,
  folder: string,
  onProgress: (progress: ProvisionProgress) => void,
): Promise<string[] | { absentBecause: string }> {
  const metadata = (await readZipEntry(wheel, (entry) => entry.endsWith('.dist-info/METADATA'))) ?? '';
  const requirements = [
    ...metadata.matchAll(/^Requires-Dist: (nvidia-[^;\s]+)\s*(\([^)]*\))?\s*;.*extra == ['"]and-cuda['"]/gm),
  ];
  const files: string[] = [];
  for (const [, name = '', version = ''] of requirements) {
    const fetched = await pipDownload(pip, name + version.replaceAll(/[()]/g, ''), folder, onProgress);
    if ('absentBecause' in fetched) return fetched;
    files.push(fetched.file);
  }
  return files;
}

/** pip's own verdict; warnings about retries come before it. */
function pipError(output: string): string {
  const errors = output.split('\n').filter((line) => line.startsWith('ERROR:'));
  return errors.at(-1)?.slice('ERROR: '.length).trim() ?? lastWords(output);
}

/** `tensorflow_cpu-2.21.0-cp311-….whl` → `tensorflow_cpu 2.21.0`. */
function wheelTitle(file: string): string {
  return path.basename(file).split('-').slice(0, 2).join(' ');
}
