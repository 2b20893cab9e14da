import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { create } from 'tar';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AddonBuilder } from '../../../src-main/engine/provision/addon.ts';
import { findTensorflow } from '../../../src-main/engine/provision/find.ts';
import { addonFile, type TensorflowVariant } from '../../../src-main/engine/provision/layout.ts';
import { provisionTensorflow } from '../../../src-main/engine/provision/provision.ts';
import { archiveSource, wheelSource, type LibrarySource } from '../../../src-main/engine/provision/sources.ts';
import { engineFolderForTests } from '../../support/engine-folder.ts';

// The names of libraries differ between systems; these archives are Linux's.
const onLinux = process.platform === 'linux';
const realInstall = findTensorflow(engineFolderForTests());
const hasCompiler = ['c++', 'g++', 'clang++'].some((name) => spawnSync(name, ['--version']).status === 0);
const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;

let folder: string;
let engineFolder: string;
let stopServer: () => void = () => undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-provision-'));
  engineFolder = path.join(folder, 'engines');
  vi.stubEnv('WINNOW_TENSORFLOW_DIR', '');
});

afterEach(() => {
  stopServer();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test.runIf(onLinux)('an archive becomes a complete install under the names that the loader asks for', async () => {
  const source = archiveSource({ name: 'C library', url: await serve(await cArchive()) });

  const install = await provision([source]);

  expect(install).toEqual({
    folder: path.join(engineFolder, 'tensorflow-2.18.0-cpu'),
    addonPath: path.join(engineFolder, 'tensorflow-2.18.0-cpu', addonFile),
    version: '2.18.0',
    variant: 'cpu',
    source: 'C library (checked: size)',
  });
  expect(findTensorflow(engineFolder)).toEqual(install);
  expect(readdirSync(engineFolder)).toEqual(['tensorflow-2.18.0-cpu']);
  expect(readdirSync(path.join(engineFolder, 'tensorflow-2.18.0-cpu', 'lib')).sort()).toEqual([
    'libtensorflow.so.2',
    'libtensorflow_framework.so.2',
    'tfjs_binding.node',
  ]);
});

test.runIf(onLinux)('an install that has lost a file is not found, and is made again', async () => {
  const source = archiveSource({ name: 'C library', url: await serve(await cArchive()) });
  await provision([source]);
  rmSync(path.join(engineFolder, 'tensorflow-2.18.0-cpu', 'lib', 'libtensorflow_framework.so.2'));
  expect(findTensorflow(engineFolder)).toBeNull();

  expect(await provision([source])).toMatchObject({ version: '2.18.0' });
});

test.runIf(onLinux)('two that provision at once fetch once', async () => {
  let requests = 0;
  const source = archiveSource({ name: 'C library', url: await serve(await cArchive(), () => (requests += 1)) });

  const [one, other] = await Promise.all([provision([source]), provision([source])]);

  expect(one).toEqual(other);
  expect(requests).toBe(1);
});

test('a damaged archive leaves nothing behind, and the next source is asked', async () => {
  const damaged = archiveSource({ name: 'C library', url: await serve(Buffer.from('no archive at all')) });
  const refusing: LibrarySource = { name: 'wheel', obtain: async () => ({ absentBecause: 'there is no network' }) };

  const result = await provision([damaged, refusing]);

  expect(result).toEqual({
    absentBecause: expect.stringMatching(/^C library: .*could not be unpacked: .*; wheel: there is no network$/),
  });
  expect(filesBelow(engineFolder)).toEqual([]);
});

test.runIf(onLinux)('an addon that does not load keeps the install out of the cache', async () => {
  const source = archiveSource({ name: 'C library', url: await serve(await cArchive()) });
  const builder: AddonBuilder = { ...writingBuilder, inspect: async () => ({ absentBecause: 'GLIBC_2.99 not found' }) };

  expect(await provision([source], builder)).toEqual({ absentBecause: 'C library: GLIBC_2.99 not found' });
  expect(findTensorflow(engineFolder)).toBeNull();
  expect(readdirSync(engineFolder)).toEqual(['downloads']);
});

test('without a compiler nothing is fetched', async () => {
  const builder: AddonBuilder = { ...writingBuilder, obstacle: async () => 'no C++ compiler was found' };
  const source: LibrarySource = {
    name: 'C library',
    obtain: () => {
      throw new Error('asked in vain');
    },
  };
  expect(await provision([source], builder)).toEqual({ absentBecause: 'no C++ compiler was found' });
});

test.runIf(onLinux && hasPip)('a wheel is fetched by pip and only what is needed is unpacked', async () => {
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', wheelFolder());

  const install = await provision([wheelSource('cpu')]);

  expect(install).toMatchObject({
    source: expect.stringMatching(/^wheel tensorflow(_cpu)? 2\.20\.0 \(checked by pip\)$/),
  });
  expect(filesBelow(engineFolder).filter((file) => !file.includes('include/'))).toEqual([
    'tensorflow-2.18.0-cpu/lib/libtensorflow_cc.so.2',
    'tensorflow-2.18.0-cpu/lib/libtensorflow_framework.so.2',
    'tensorflow-2.18.0-cpu/lib/tfjs_binding.node',
    'tensorflow-2.18.0-cpu/manifest.json',
  ]);
});

test.runIf(onLinux && hasPip)(
  'the CUDA libraries that the wheel names come beside it, where it looks for them',
  async () => {
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', wheelFolder());
    const seesGpu: AddonBuilder = { ...writingBuilder, inspect: async () => ({ version: '2.18.0', usesGpu: true }) };

    const install = await provision([wheelSource('gpu')], seesGpu, 'gpu');

    expect(install).toMatchObject({ folder: path.join(engineFolder, 'tensorflow-2.18.0-gpu'), variant: 'gpu' });
    expect(filesBelow(path.join(engineFolder, 'tensorflow-2.18.0-gpu', 'nvidia'))).toEqual([
      'cublas/lib/libcublas.so.12',
    ]);
  },
);

test.runIf(onLinux && hasPip)('a CUDA library that finds no device is not taken', async () => {
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', wheelFolder());
  expect(await provision([wheelSource('gpu')], writingBuilder, 'gpu')).toEqual({
    absentBecause: expect.stringMatching(/finds no CUDA device/),
  });
});

test.runIf(hasPip)('what pip cannot find is told in its words', async () => {
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', folder);
  expect(await provision([wheelSource('cpu')])).toEqual({
    absentBecause: expect.stringMatching(/No matching distribution found for tensorflow/),
  });
});

test.runIf(onLinux && realInstall !== null && hasCompiler)(
  'the addon is built on libraries that the user names, without writing there',
  async () => {
    // Only a fresh build has headers beside it; an install whose headers were removed cannot be built on.
    const libraries = path.join(folder, 'my-tensorflow');
    mkdirSync(path.join(libraries, 'lib'), { recursive: true });
    for (const name of readdirSync(path.join(realInstall!.folder, 'lib')).filter((file) => file.includes('.so'))) {
      symlinkSync(path.join(realInstall!.folder, 'lib', name), path.join(libraries, 'lib', name));
    }
    cpSync(path.join(realInstall!.folder, 'include'), path.join(libraries, 'include'), { recursive: true });
    const before = filesBelow(libraries);
    vi.stubEnv('WINNOW_TENSORFLOW_DIR', libraries);

    const install = await provisionTensorflow({
      engineFolder,
      variant: 'cpu',
      onProgress: () => undefined,
      sources: [],
    });

    expect(install).toMatchObject({ version: realInstall!.version, source: libraries });
    expect(findTensorflow(engineFolder)).toEqual(install);
    expect(filesBelow(libraries)).toEqual(before);
  },
  // A compiler is at work, half a minute on free cores.
  180_000,
);

/** Writes a file in place of compiling, and takes the version from the library's bytes as the real one does from its code. */
const writingBuilder: AddonBuilder = {
  obstacle: async () => null,
  build: async (libraries, addonPath) => {
    writeFileSync(addonPath, readFileSync(path.join(libraries.folder, libraries.names[0]!)));
    return { kind: 'built' };
  },
  inspect: async (addonPath) => ({ version: readFileSync(addonPath, 'utf8'), usesGpu: false }),
};

function provision(sources: LibrarySource[], addonBuilder = writingBuilder, variant: TensorflowVariant = 'cpu') {
  return provisionTensorflow({ engineFolder, variant, onProgress: () => undefined, sources, addonBuilder });
}

/** The shape of TensorFlow's C archive: versioned files, links to them, headers and a license. */
async function cArchive(): Promise<Buffer> {
  const root = path.join(folder, 'c-archive');
  writeTree(root, {
    'lib/libtensorflow.so.2.18.0': '2.18.0',
    'lib/libtensorflow_framework.so.2.18.0': 'framework',
    'include/tensorflow/c/c_api.h': '',
    'include/tensorflow/c/eager/c_api.h': '',
    LICENSE: '',
  });
  for (const name of ['libtensorflow', 'libtensorflow_framework']) {
    symlinkSync(`${name}.so.2.18.0`, path.join(root, 'lib', `${name}.so.2`));
    symlinkSync(`${name}.so.2`, path.join(root, 'lib', `${name}.so`));
  }
  const file = path.join(folder, 'archive.tar.gz');
  await create({ file, cwd: root, gzip: true }, ['./lib', './include', './LICENSE']);
  return readFileSync(file);
}

/** A folder with wheels of the shape of TensorFlow's, under both of its names, and one of the CUDA libraries that they ask for. */
function wheelFolder(): string {
  for (const name of ['tensorflow_cpu', 'tensorflow']) {
    writeWheel(
      name,
      '2.20.0',
      `Requires-Dist: numpy>=1.26\nRequires-Dist: nvidia-cublas-cu12<13.0,>=12.5; extra == 'and-cuda'\n`,
      {
        'tensorflow/__init__.py': 'a module that is not needed',
        'tensorflow/libtensorflow_cc.so.2': '2.18.0',
        'tensorflow/libtensorflow_framework.so.2': 'framework',
        'tensorflow/include/tensorflow/c/c_api.h': '',
        'tensorflow/include/google/protobuf/any.h': '',
      },
    );
  }
  writeWheel('nvidia_cublas_cu12', '12.6.0', '', {
    'nvidia/__init__.py': '',
    'nvidia/cublas/lib/libcublas.so.12': 'cublas',
  });
  return path.join(folder, 'wheels');
}

function writeWheel(name: string, version: string, requirements: string, files: Record<string, string>): void {
  const root = path.join(folder, name);
  const information = `${name}-${version}.dist-info`;
  writeTree(root, {
    ...files,
    [`${information}/METADATA`]: `Metadata-Version: 2.1\nName: ${name.replaceAll('_', '-')}\nVersion: ${version}\n${requirements}`,
    [`${information}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${information}/RECORD`]: '',
  });
  const wheels = path.join(folder, 'wheels');
  mkdirSync(wheels, { recursive: true });
  const wheel = path.join(wheels, `${name}-${version}-py3-none-any.whl`);
  execFileSync('python3', ['-m', 'zipfile', '-c', wheel, ...readdirSync(root)], { cwd: root });
}

function serve(body: Buffer, onRequest: () => void = () => undefined): Promise<string> {
  const server = createServer((_request, response) => {
    onRequest();
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  stopServer = () => {
    server.close();
    server.closeAllConnections();
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/libtensorflow-cpu-linux-x86_64.tar.gz`);
    });
  });
}

function writeTree(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
}

function filesBelow(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}
