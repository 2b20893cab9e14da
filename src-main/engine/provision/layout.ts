import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';

/** Whether the native library computes on the processor alone or also on CUDA devices. */
export type TensorflowVariant = 'cpu' | 'gpu';

/** A TensorFlow that can be loaded now: the native library and the addon that binds it to Node. */
export interface TensorflowInstall {
  folder: string;
  /** The addon, to be loaded with `require`. */
  addonPath: string;
  /** As the library itself says, for example `2.18.0`. */
  version: string;
  variant: TensorflowVariant;
  /** For people: where the library came from. */
  source: string;
}

/** What an install's folder holds. It is written last, so a folder with a manifest is complete. */
export type Manifest = v.InferOutput<typeof manifestSchema>;

/** The native library of one TensorFlow, wherever it lies. */
export interface Libraries {
  folder: string;
  /** File names: the C API first, then what it needs. */
  names: string[];
  includeFolder: string;
}

export const manifestName = 'manifest.json';

/** Relative to an install's folder. `../nvidia` beside `lib` is where TensorFlow's own run path looks for CUDA. */
export const addonFile = 'lib/tfjs_binding.node';

export const manifestSchema = v.object({
  version: v.string(),
  variant: v.picklist(['cpu', 'gpu']),
  source: v.string(),
  /** Bytes of each file the engine needs, by path relative to the folder. */
  files: v.record(v.string(), v.number()),
});

/** The install in a folder, or null when the folder holds none or one that is incomplete. */
export function readInstall(folder: string): TensorflowInstall | null {
  const manifest = readManifest(folder);
  if (manifest === null || !(addonFile in manifest.files)) return null;
  const complete = Object.entries(manifest.files).every(([file, bytes]) => fileSize(path.join(folder, file)) === bytes);
  if (!complete) return null;
  const { version, variant, source } = manifest;
  return { folder, addonPath: path.join(folder, addonFile), version, variant, source };
}

/**
 * The libraries and headers in a folder laid out as the C archive (`lib/`, `include/`), as the Python package (all in
 * `tensorflow/`), or flat; null when they are not there.
 */
export function locateLibraries(folder: string, platform: NodeJS.Platform = process.platform): Libraries | null {
  for (const root of [folder, path.join(folder, 'tensorflow')]) {
    const includeFolder = path.join(root, 'include');
    if (fileSize(path.join(includeFolder, 'tensorflow', 'c', 'c_api.h')) === null) continue;
    for (const libraryFolder of [path.join(root, 'lib'), root]) {
      const names = libraryNames(platform).find((set) =>
        set.every((name) => fileSize(path.join(libraryFolder, name)) !== null),
      );
      if (names !== undefined) return { folder: libraryFolder, names, includeFolder };
    }
  }
  return null;
}

/** Bytes of each file below a folder, by path relative to it, with forward slashes. */
export function fileSizes(folder: string): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = path.join(entry.parentPath, entry.name);
    sizes[path.relative(folder, file).replaceAll(path.sep, '/')] = statSync(file).size;
  }
  return sizes;
}

/** The C library carries one name in TensorFlow's C archive and another in its Python package. */
function libraryNames(platform: NodeJS.Platform): string[][] {
  if (platform === 'win32') return [['tensorflow.dll', 'tensorflow.lib']];
  const suffix = platform === 'darwin' ? '.2.dylib' : '.so.2';
  return ['libtensorflow', 'libtensorflow_cc'].map((name) => [name + suffix, `libtensorflow_framework${suffix}`]);
}

function readManifest(folder: string): Manifest | null {
  try {
    const parsed = v.safeParse(manifestSchema, JSON.parse(readFileSync(path.join(folder, manifestName), 'utf8')));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

function fileSize(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null;
}
