import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { dataFolder, findNode, programPaths } from '../../src-main/hosts/paths.ts';

test.each([
  ['linux', {}, '/home/ada/.local/share/winnow'],
  ['linux', { XDG_DATA_HOME: '/data' }, '/data/winnow'],
  ['linux', { XDG_DATA_HOME: 'relative' }, '/home/ada/.local/share/winnow'],
  ['linux', { WINNOW_HOME: '/elsewhere', XDG_DATA_HOME: '/data' }, '/elsewhere'],
  ['darwin', {}, '/home/ada/Library/Application Support/Winnow'],
] as const)('the data folder on %s with %o is %s', (platform, variables, expected) => {
  expect(dataFolder({ platform, home: '/home/ada', variables })).toBe(expected);
});

test('the data folder on Windows is the local one, which no profile roams', () => {
  const home = 'C:\\Users\\ada';
  const LOCALAPPDATA = 'D:\\Local';
  expect(dataFolder({ platform: 'win32', home, variables: {} })).toBe('C:\\Users\\ada\\AppData\\Local\\Winnow');
  expect(dataFolder({ platform: 'win32', home, variables: { LOCALAPPDATA } })).toBe('D:\\Local\\Winnow');
});

test('a source runs the other programs’ sources, a build the built ones, a package what lies beside its archive', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'winnow-paths-'));
  try {
    const archive = path.join(root, 'app.asar');
    const node = path.join(root, 'node', 'bin', 'node');
    for (const folder of [root, archive]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'package.json'), '{ "version": "9.8.7" }');
    }
    mkdirSync(path.dirname(node), { recursive: true });
    writeFileSync(node, '');
    const trainerOf = (file: string): string => programPaths(pathToFileURL(file).href, root).trainerProgram;
    const workerOf = (file: string): string => programPaths(pathToFileURL(file).href, root).workerProgram;

    expect(trainerOf(path.join(root, 'src-main', 'hosts', 'cli', 'main.ts'))).toBe(
      path.join(root, 'src-main', 'trainer', 'main.ts'),
    );
    expect(trainerOf(path.join(root, 'dist', 'main', 'cli.js'))).toBe(path.join(root, 'dist', 'main', 'trainer.js'));
    expect(trainerOf(path.join(archive, 'dist', 'main', 'chunk-a.js'))).toBe(
      path.join(root, 'app.asar.unpacked', 'dist', 'main', 'trainer.js'),
    );
    expect(workerOf(path.join(root, 'src-main', 'hosts', 'cli', 'main.ts'))).toBe(
      path.join(root, 'src-main', 'app', 'preparation-worker.ts'),
    );
    expect(workerOf(path.join(root, 'dist', 'main', 'cli.js'))).toBe(
      path.join(root, 'dist', 'main', 'preparation-worker.js'),
    );
    expect(workerOf(path.join(archive, 'dist', 'main', 'chunk-a.js'))).toBe(
      path.join(root, 'app.asar.unpacked', 'dist', 'main', 'preparation-worker.js'),
    );
    expect(programPaths(pathToFileURL(path.join(archive, 'dist', 'main', 'cli.js')).href, root)).toMatchObject({
      version: '9.8.7',
      rendererFolder: path.join(archive, 'dist', 'renderer'),
      nodePath: node,
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('without a Node of its own the running one is used', () => {
  expect(findNode('/nowhere', null)).toBe(process.execPath);
});
