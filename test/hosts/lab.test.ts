import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHome } from '../support/home.ts';
import { drawPictures } from '../support/pictures.ts';

/* `winnow lab` in real processes: what it offers and refuses, and one experiment from images to figures. */

const program = path.resolve(import.meta.dirname, '..', '..', 'src-main', 'hosts', 'cli', 'main.ts');
let folder = '';
let home = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-lab-cli-'));
  home = createHome(folder);
  await drawPictures(path.join(folder, 'images'), 30, Infinity);
  await drawPictures(path.join(folder, 'test'), 12, Infinity);
  writeFileSync(path.join(folder, 'lion.json'), '{"disc": "lion"}');
  writeFileSync(path.join(folder, 'list.json'), '["disc"]');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = ['--images', 'images', '--test', 'test'];

test.each([
  ['noise', '--confusion'],
  ['selective', '--start-epoch'],
  ['robust', '--test-samples'],
  ['double-descent', '--widths'],
  ['linear-probe', '--epochs'],
])('lab %s explains itself and offers %s', async (experiment, option) => {
  const { code, stdout } = await winnow(['lab', experiment, '--help']);
  expect([code, stdout]).toEqual([0, expect.stringContaining(option)]);
});

test.each([
  ['seeds that are no numbers', ['--seeds', '1,x'], 'whole number'],
  ['a rate above 1', ['--rates', '1.5'], '--rates'],
  ['a preset that is not there', ['--preset', 'huge'], 'authors-cifar10'],
  ['an option of another experiment', ['--widths', '4'], '--widths'],
  ['a recipe that is not there', ['--recipes', 'salt'], '"salt"'],
  [
    'a confusion with a class that is not there',
    ['--kind', 'asymmetric', '--confusion', 'lion.json', '--samples', '30', '--test-samples', '12'],
    '"lion"',
  ],
  ['a file that is no confusion', ['--confusion', 'list.json'], 'list.json'],
])('%s exits with 2, says what, and writes nothing', async (_name, values, said) => {
  const { code, stdout, stderr } = await winnow(['lab', 'noise', ...data, ...values]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(said);
  expect(stderr).not.toContain('    at ');
});

test('lab linear-probe --json runs from images to a report', async () => {
  const values = ['--samples', '30', '--test-samples', '12', '--epochs', '1', '--width', '4', '--seeds', '1'];
  const { code, stdout, stderr } = await winnow([
    'lab',
    'linear-probe',
    ...data,
    ...values,
    '--out',
    'probe',
    '--json',
  ]);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as {
    trainings: { error: string | null; evaluations: { linearProbeAccuracy: number }[] }[];
  };
  expect(report).toMatchObject({
    experiment: 'linear-probe',
    command: `winnow lab linear-probe --images images --test test ${values.join(' ')} --out probe --json`,
    missing: [],
    data: { classes: ['cross', 'disc', 'stripes'], samples: 30, testSamples: 12 },
  });
  for (const { error, evaluations } of report.trainings) {
    expect(error).toBeNull();
    expect(evaluations[0]!.linearProbeAccuracy).toBeGreaterThanOrEqual(0);
  }
});

function winnow(values: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...values], {
    cwd: folder,
    env: { ...process.env, WINNOW_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
