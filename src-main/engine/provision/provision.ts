import { copyFile, cp, mkdir, mkdtemp, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../../../shared/result.ts';
import { compilerAddonBuilder, type AddonBuilder } from './addon.ts';
import { cachedInstalls, explicitFolder, findTensorflow, linkedFolder, packagedEngineFolder } from './find.ts';
import {
  addonFile,
  fileSizes,
  locateLibraries,
  manifestName,
  readInstall,
  type Libraries,
  type Manifest,
  type TensorflowInstall,
  type TensorflowVariant,
} from './layout.ts';
import { withProvisionLock } from './provision-lock.ts';
import { defaultSources, type LibrarySource, type ObtainedLibraries, type ProvisionProgress } from './sources.ts';

export interface ProvisionRequest {
  /** The user's engine cache. */
  engineFolder: string;
  variant: TensorflowVariant;
  onProgress: (progress: ProvisionProgress) => void;
  /** Where to get the libraries; TensorFlow's C archive and then its wheel unless told otherwise. */
  sources?: LibrarySource[];
  addonBuilder?: AddonBuilder;
}

/**
 * Makes a TensorFlow that can be loaded: the one that is there, else one built on the libraries of `WINNOW_TENSORFLOW_DIR`,
 * else one from the first source that answers. It appears in the cache complete or not at all.
 */
export async function provisionTensorflow(
  request: ProvisionRequest,
): Promise<TensorflowInstall | { absentBecause: string }> {
  const present = findTensorflow(request.engineFolder);
  if (present !== null && isEnough(present, request.variant)) return present;
  return withProvisionLock(
    request.engineFolder,
    () => request.onProgress({ kind: 'step', message: 'waiting for another Winnow that is fetching an engine' }),
    async () => {
      // The other one may have fetched what is wanted.
      const nowPresent = findTensorflow(request.engineFolder);
      if (nowPresent !== null && isEnough(nowPresent, request.variant)) return nowPresent;
      await removeLeftovers(request.engineFolder);
      return obtainInstall(request);
    },
  );
}

/** An install the user names is taken as it is; otherwise CUDA is only served by CUDA. */
function isEnough(install: TensorflowInstall, variant: TensorflowVariant): boolean {
  return explicitFolder() !== null || variant === 'cpu' || install.variant === 'gpu';
}

async function obtainInstall(request: ProvisionRequest): Promise<TensorflowInstall | { absentBecause: string }> {
  const { engineFolder, variant, onProgress } = request;
  const builder = request.addonBuilder ?? compilerAddonBuilder;
  const reasons: string[] = [];
  const obstacle = await builder.obstacle();
  // A package brings an addon that fits the wheel's libraries; a checkout has to build one, so nothing is fetched in vain.
  if (obstacle !== null && cachedInstalls(packagedEngineFolder()).length === 0) return { absentBecause: obstacle };

  const explicit = explicitFolder();
  if (explicit !== null) {
    const install = await inWorkFolder(engineFolder, (workFolder) =>
      linkInstall(explicit, workFolder, engineFolder, builder, onProgress),
    );
    if (!('absentBecause' in install)) return install;
    reasons.push(`WINNOW_TENSORFLOW_DIR: ${install.absentBecause}`);
  }

  const downloadFolder = path.join(engineFolder, 'downloads');
  for (const source of request.sources ?? defaultSources(variant)) {
    const install = await inWorkFolder(engineFolder, async (workFolder) => {
      const obtained = await source.obtain({ workFolder, downloadFolder, onProgress });
      if ('absentBecause' in obtained) return obtained;
      return assembleInstall(obtained, workFolder, { engineFolder, variant, builder, onProgress });
    });
    if (!('absentBecause' in install)) {
      await rm(downloadFolder, { recursive: true, force: true });
      return install;
    }
    reasons.push(`${source.name}: ${install.absentBecause}`);
  }
  return { absentBecause: reasons.join('; ') };
}

/** Puts libraries, CUDA, headers and addon together beside the cache and moves them in as one folder. */
async function assembleInstall(
  obtained: ObtainedLibraries,
  workFolder: string,
  target: {
    engineFolder: string;
    variant: TensorflowVariant;
    builder: AddonBuilder;
    onProgress: (progress: ProvisionProgress) => void;
  },
): Promise<TensorflowInstall | { absentBecause: string }> {
  const { engineFolder, variant, builder, onProgress } = target;
  const folder = path.join(workFolder, 'install');
  const libraries: Libraries = { ...obtained.libraries, folder: path.join(folder, 'lib') };
  await mkdir(libraries.folder, { recursive: true });
  for (const name of libraries.names) {
    // In the C archive the name that the loader asks for is a link to the file.
    await rename(await realpath(path.join(obtained.libraries.folder, name)), path.join(libraries.folder, name));
  }
  if (obtained.cudaFolder !== null) await rename(obtained.cudaFolder, path.join(folder, 'nvidia'));

  onProgress({ kind: 'step', message: 'building the addon' });
  const addonPath = path.join(folder, addonFile);
  const built = await builder.build(libraries, addonPath, ['$ORIGIN']);
  if (built.kind === 'failed' && !(await copyPackagedAddon(libraries, addonPath)))
    return { absentBecause: built.because };
  const facts = await builder.inspect(addonPath);
  if ('absentBecause' in facts) return facts;
  if (variant === 'gpu' && !facts.usesGpu)
    return { absentBecause: 'it loads, but finds no CUDA device that it can use' };

  await writeManifest(folder, { version: facts.version, variant, source: obtained.source, files: fileSizes(folder) });
  // Headers are kept beside the libraries, so that the addon can be built again without another download.
  await cp(obtained.libraries.includeFolder, path.join(folder, 'include'), { recursive: true });
  return moveIntoCache(folder, path.join(engineFolder, `tensorflow-${facts.version}-${variant}`));
}

/** An addon for libraries that stay where the user has them. */
async function linkInstall(
  libraryRoot: string,
  workFolder: string,
  engineFolder: string,
  builder: AddonBuilder,
  onProgress: (progress: ProvisionProgress) => void,
): Promise<TensorflowInstall | { absentBecause: string }> {
  const libraries = locateLibraries(libraryRoot);
  if (libraries === null) {
    return {
      absentBecause: `${libraryRoot} does not hold libtensorflow with its headers (include/tensorflow/c/c_api.h)`,
    };
  }
  onProgress({ kind: 'step', message: `building the addon for ${libraries.folder}` });
  const folder = path.join(workFolder, 'install');
  const addonPath = path.join(folder, addonFile);
  await mkdir(path.dirname(addonPath), { recursive: true });
  const built = await builder.build(libraries, addonPath, [libraries.folder]);
  if (built.kind === 'failed') return { absentBecause: built.because };
  const facts = await builder.inspect(addonPath);
  if ('absentBecause' in facts) return facts;
  const variant = facts.usesGpu ? 'gpu' : 'cpu';
  await writeManifest(folder, { version: facts.version, variant, source: libraryRoot, files: fileSizes(folder) });
  return moveIntoCache(folder, linkedFolder(engineFolder, libraryRoot));
}

/** The addon that ships in a package fits libraries of the same names. */
async function copyPackagedAddon(libraries: Libraries, addonPath: string): Promise<boolean> {
  for (const packaged of cachedInstalls(packagedEngineFolder())) {
    const names = locateLibraries(packaged.folder)?.names;
    if (names?.join() !== libraries.names.join()) continue;
    await copyFile(packaged.addonPath, addonPath);
    return true;
  }
  return false;
}

async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(path.join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** One rename within a file system: other processes see the whole install or none. */
async function moveIntoCache(folder: string, target: string): Promise<TensorflowInstall | { absentBecause: string }> {
  await rm(target, { recursive: true, force: true });
  await rename(folder, target);
  return readInstall(target) ?? { absentBecause: `${target} is not complete` };
}

/** Work happens inside the cache, on the same file system, in a folder that nothing reads; it is removed in every case. */
async function inWorkFolder(
  engineFolder: string,
  work: (folder: string) => Promise<TensorflowInstall | { absentBecause: string }>,
): Promise<TensorflowInstall | { absentBecause: string }> {
  const folder = await mkdtemp(path.join(engineFolder, workFolderPrefix));
  try {
    return await work(folder);
  } catch (error) {
    // A full disk or a folder without permission: say so and go on without this engine.
    return { absentBecause: errorMessage(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const workFolderPrefix = '.unfinished-';

/** What a process that was killed has left; the lock says that nobody works here now. */
async function removeLeftovers(engineFolder: string): Promise<void> {
  for (const name of await readdir(engineFolder)) {
    if (name.startsWith(workFolderPrefix)) await rm(path.join(engineFolder, name), { recursive: true, force: true });
  }
}
