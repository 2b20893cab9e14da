import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Overview, RunSummary, TrainingPlan, Triage } from '../../shared/domain.ts';
import { presets } from '../../src-main/sat/presets.ts';
import { recipes } from '../../src-main/sat/recipes/registry.ts';
import { spots, writeFiles } from '../dataset/pictures.ts';
import { createHome } from '../support/home.ts';
import { drawPictures, type LabeledPicture } from '../support/pictures.ts';

/* The real command line in real processes, on real pictures with a real trainer. */

const program = path.resolve(import.meta.dirname, '..', '..', 'src-main', 'hosts', 'cli', 'main.ts');
let folder: string;
let home: string;
let pictures: LabeledPicture[];
let truth: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-cli-'));
  home = createHome(folder);
  pictures = await drawPictures(path.join(folder, 'images'), 120, 10);
  truth = path.join(folder, 'truth.csv');
  writeFileSync(truth, `file,clean\n${pictures.map(({ path: file, shown }) => `${file},${shown}\n`).join('')}`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('usage', () => {
  test.each([
    'import',
    'train',
    'flags',
    'triage',
    'neighbours',
    'duplicates',
    'overview',
    'evaluate',
    'history',
    'export',
    'clean',
    'serve',
    'engines',
    'demo',
  ])('%s explains itself', async (command) => {
    const { code, stdout } = await winnow([command, '--help']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, expect.stringContaining(`Usage: winnow ${command} [options]`)]);
  });

  test('train names every recipe with its sentence, and every preset', async () => {
    const { stdout } = await winnow(['train', '--help']);
    const list = stdout.replaceAll(/ +/g, ' ');
    for (const { name, sentence } of [...recipes, ...presets]) expect(list).toContain(`\n ${name} ${sentence}\n`);
  });

  test.each([
    ['an unknown command', ['sort']],
    ['an unknown option', ['engines', '--fast']],
    ['a missing argument', ['train']],
    ['a missing option', ['import', 'images']],
    ['a choice that is not offered', ['train', 'a.winnow', '--budget', 'huge']],
    ['a seed that is no number', ['train', 'a.winnow', '--seed', '-1']],
    ['a recipe that is not there', ['train', 'a.winnow', '--recipe', 'magic']],
    ['a preset that is not there', ['train', 'a.winnow', '--preset', 'mine']],
    ['an α that is no number', ['train', 'a.winnow', '--target-momentum', 'high']],
    ['a recipe that judges no labels', ['clean', 'images', '--out', 'a.csv', '--recipe', 'pretrain']],
    ['a coverage above 1', ['triage', 'a.winnow', '--coverage', '80']],
    ['a port that does not exist', ['serve', '--port', '70000']],
    ['a resumed training with another budget', ['train', 'a.winnow', '--resume', '--budget', 'quick']],
    ['two formats at once', ['flags', 'a.winnow', '--json', '--csv']],
  ])('%s exits with 2 and prints nothing on standard output', async (_name, values) => {
    const { code, stdout, stderr } = await winnow(values);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('error:');
  });

  test.each([
    ['import', ['import', 'absent', '--project', 'a.winnow'], 'absent'],
    ['train', ['train', 'absent.winnow'], 'absent.winnow'],
    ['serve', ['serve', 'absent.winnow'], 'absent.winnow'],
    ['history', ['history', 'absent.winnow'], 'absent.winnow'],
    ['export', ['export', 'absent.winnow', '--format', 'csv', '--out', 'a.csv'], 'absent.winnow'],
  ])('%s of what is not there exits with 1 and names it', async (_name, values, named) => {
    const { code, stdout, stderr } = await winnow(values);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(named)]);
    expect(stderr).not.toContain('    at ');
  });
});

test('import → train → flags → evaluate → export', async () => {
  const project = path.join(folder, 'whole.winnow');
  const before = fileTimes(path.join(folder, 'images'));

  const imported = await winnow(['import', 'images', '--project', project, '--json']);
  expect(imported.code, imported.stderr).toBe(0);
  expect(JSON.parse(imported.stdout)).toMatchObject({
    added: 120,
    problems: 0,
    project: { samples: 120, path: project },
  });

  const untrained = await winnow(['overview', project]);
  expect([untrained.code, untrained.stdout]).toEqual([0, expect.stringContaining('not known before a training')]);
  const early = await winnow(['flags', project]);
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('winnow train')]);

  const trained = await winnow(['train', project, '--budget', 'quick', '--seed', '3', '--json']);
  expect(trained.code, trained.stderr).toBe(0);
  const events = trained.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string });
  expect([events[0]?.kind, events.at(-2)?.kind, events.at(-1)?.kind]).toEqual(['plan', 'ended', 'findings']);
  expect(events.some(({ kind }) => kind === 'epoch')).toBe(true);

  const all = JSON.parse((await winnow(['flags', project, '--all', '--json'])).stdout) as {
    file: string;
    score: number;
  }[];
  expect(all).toHaveLength(120);
  expect(all).toEqual(all.toSorted((left, right) => right.score - left.score));
  const table: unknown[] = parse((await winnow(['flags', project, '--all', '--csv', '--limit', '5'])).stdout, {
    columns: true,
  });
  expect(table).toEqual(
    all.slice(0, 5).map((flag) => Object.fromEntries(Object.entries(flag).map(([key, value]) => [key, String(value)]))),
  );

  const evaluated = await winnow(['evaluate', project, '--truth', truth, '--truth-column', 'clean', '--json']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  const evaluation = JSON.parse(evaluated.stdout) as Record<string, number>;
  expect(Object.keys(evaluation)).toEqual([
    'samples',
    'errors',
    'auroc',
    'averagePrecision',
    'flagged',
    'precision',
    'recall',
    'f1',
    'reviewsFor90',
    'suggestedLabelAccuracy',
    'triage',
  ]);
  expect(evaluation).toMatchObject({ samples: 120, errors: 12 });
  expect(evaluation.auroc).toBeGreaterThan(0.8);

  const judgedTriage = evaluation.triage as unknown as { coverage: number; expectedError: number; trueError: number }[];
  expect(judgedTriage.map(({ coverage }) => Math.round(10 * coverage))).toEqual([5, 8, 9]);
  for (const { trueError } of judgedTriage) expect(trueError).toBeLessThan(0.1);

  const triage = JSON.parse((await winnow(['triage', project, '--json'])).stdout) as Triage;
  expect(triage).toMatchObject({ samples: 120 });
  const look = await winnow(['triage', project, '--coverage', '0.8', '--csv']);
  const rows: { file: string; score: string }[] = parse(look.stdout, { columns: true });
  expect(rows.map(({ file }) => file).toSorted()).toEqual(
    all
      .slice(0, rows.length)
      .map(({ file }) => file)
      .toSorted(),
  );
  expect(120 - rows.length).toBe(triage.curve.findLast(({ coverage }) => coverage <= 0.8)?.accepted);

  const overview = JSON.parse((await winnow(['overview', project, '--json'])).stdout) as Overview;
  expect(overview).toMatchObject({ samples: 120, found: 0, progress: [], pace: { perMinute: null } });
  const { expected, low, high } = overview.remaining!;
  expect(low <= expected && expected <= high).toBe(true);
  const printed = await winnow(['overview', project]);
  expect(printed.stdout).toContain(`About ${Math.round(expected)} wrong labels remain`);

  const [first] = pictures;
  const alike = await winnow(['neighbours', project, first!.path, '--limit', '3', '--json']);
  expect(alike.code, alike.stderr).toBe(0);
  expect(JSON.parse(alike.stdout)).toHaveLength(3);
  const unknown = await winnow(['neighbours', project, 'cross/none.png']);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('cross/none.png')]);
  const senseless = await winnow(['train', project, '--target-momentum', '1']);
  expect([senseless.code, senseless.stderr]).toEqual([2, expect.stringContaining('between 0 and 1')]);

  const noTruth = await winnow(['evaluate', project, '--truth', 'absent.csv', '--truth-column', 'clean']);
  expect([noTruth.code, noTruth.stderr]).toEqual([1, expect.stringContaining('absent.csv')]);

  const undecided = await winnow(['history', project]);
  expect([undecided.code, undecided.stdout, undecided.stderr]).toEqual([0, '', 'Nothing was decided yet.\n']);

  const out = path.join(folder, 'labels.csv');
  const exported = await winnow(['export', project, '--format', 'csv', '--out', out, '--json']);
  expect([exported.code, JSON.parse(exported.stdout)]).toEqual([0, { out, written: 120, relabeled: 0, dropped: 0 }]);
  const again = await winnow(['export', project, '--format', 'csv', '--out', out]);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(out)]);
  expect(fileTimes(path.join(folder, 'images'))).toEqual(before);
}, 300_000);

test('train learns from the images first and then starts from what it learned', async () => {
  const project = path.join(folder, 'two-steps.winnow');
  expect((await winnow(['import', 'images', '--project', project])).code).toBe(0);
  const numbers = ['--budget', 'quick', '--epochs', '2'];
  const early = await winnow(['train', project, ...numbers, '--recipe', 'pretrain']);
  expect([early.code, early.stdout]).toEqual([0, expect.stringContaining('--recipe sat --start-from 1')]);
  const { code, stdout, stderr } = await winnow([
    'train',
    project,
    ...numbers,
    '--recipe',
    'pretrain',
    '--then',
    'sat',
    '--json',
  ]);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('--epochs: for the first run (pretrain) only; the second (sat) is planned by the budget.');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; plan?: TrainingPlan });
  expect(lines.flatMap(({ plan }) => (plan === undefined ? [] : [[plan.recipe, plan.startFrom]]))).toEqual([
    ['pretrain', null],
    ['sat', 2],
  ]);
  expect(lines.at(-1)).toMatchObject({ kind: 'findings', findings: { runId: 3 } });
}, 300_000);

test.each([
  [['--recipe', 'pretrain', '--then', 'robust'], 'knows only standardised pixels'],
  [['--recipe', 'pretrain', '--then', 'sat', '--start-epoch', '1'], 'from the very first epoch'],
])('train %j is refused before the first run takes its time', async (values, said) => {
  const project = path.join(folder, 'two-steps.winnow');
  const { code, stdout, stderr } = await winnow(['train', project, '--budget', 'quick', ...values, '--json']);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(said)]);
});

test('Ctrl+C during training pauses, keeps what was learned, and says how to go on', async () => {
  const project = path.join(folder, 'interrupted.winnow');
  expect((await winnow(['import', 'images', '--project', project])).code).toBe(0);
  const { code, stdout, stderr } = await winnow(['train', project, '--budget', 'thorough', '--json'], (child, line) => {
    if (line.includes('"kind":"epoch"')) child.kill('SIGINT');
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/Paused after \d+ epochs? of \d+; what was learned until then can be reviewed/);
  expect(stderr).toContain(`To go on: winnow train ${project} --resume`);
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    kind: 'findings',
    findings: { epoch: expect.any(Number) },
  });
  expect((await winnow(['flags', project, '--all', '--json'])).code).toBe(0);
}, 300_000);

test('a training that was killed with its service goes on with --resume and comes to the same, to the bit', async () => {
  const projects = ['unhurt', 'killed'].map((name) => path.join(folder, `${name}.winnow`)) as [string, string];
  for (const project of projects) expect((await winnow(['import', 'images', '--project', project])).code).toBe(0);
  const [unhurt, killed] = projects;
  const values = ['--budget', 'quick', '--seed', '3', '--epochs', '6', '--json'];
  const nothing = await winnow(['train', killed, '--resume']);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('There is no training to go on with')]);
  expect((await winnow(['train', unhurt, ...values])).code).toBe(0);

  const dieAfter = (epochs: number) => {
    let left = epochs;
    return (child: ReturnType<typeof spawn>, text: string): void => {
      left -= text.split('"kind":"epoch"').length - 1;
      if (left <= 0) setTimeout(() => child.kill('SIGKILL'), 40 * Math.random());
    };
  };
  expect((await winnow(['train', killed, ...values], dieAfter(2))).code).toBeNull();
  expect((await winnow(['train', killed, '--resume', '--json'], dieAfter(2))).code).toBeNull();
  const { code, stdout, stderr } = await winnow(['train', killed, '--resume', '--json']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('training was interrupted');
  const { run } = JSON.parse(stdout.trimEnd().split('\n').at(-2) ?? '') as { run: RunSummary };
  expect(run).toMatchObject({ id: 1, status: 'done', canResume: false });
  expect(run.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5]);
  const flags = await Promise.all(projects.map((project) => winnow(['flags', project, '--all', '--json'])));
  expect(JSON.parse(flags[1]!.stdout)).toEqual(JSON.parse(flags[0]!.stdout));
}, 300_000);

test('clean does it all in one go and accepts only sure suggestions', async () => {
  writeFileSync(path.join(home, 'settings.json'), '{"reviewer": "Ann"}');
  const out = path.join(folder, 'cleaned.csv');
  const { code, stdout, stderr } = await winnow([
    ...['clean', 'images', '--out', out, '--project', path.join(folder, 'clean.winnow')],
    ...['--budget', 'quick', '--json'],
  ]);
  expect(code, stderr).toBe(0);
  const summary = JSON.parse(stdout) as { accepted: number; export: { written: number; relabeled: number } };
  expect(summary.export).toMatchObject({ written: 120, relabeled: summary.accepted });
  expect(readFileSync(out, 'utf8').trimEnd().split('\n')).toHaveLength(121);

  // What was decided needs no second look.
  const project = path.join(folder, 'clean.winnow');
  const look = await winnow(['triage', project, '--coverage', '0', '--json']);
  const { decided, look: left } = JSON.parse(look.stdout) as { decided: number; look: unknown[] };
  expect(summary.accepted).toBeGreaterThan(0);
  expect([decided, left.length]).toEqual([summary.accepted, 120 - summary.accepted]);
  // Who is set as the reviewer stands in the history of what the command line has done, too.
  const history = await winnow(['history', project, '--json']);
  expect(JSON.parse(history.stdout)).toMatchObject([{ author: 'Ann', samples: summary.accepted, status: 'done' }]);
  const table = (await winnow(['history', project, '--limit', '5'])).stdout.trimEnd().split('\n');
  expect(table[0]).toMatch(/^when +who +what$/);
  expect(table.slice(1)).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d +Ann +Accept the suggestion for \d+ images?$/),
  ]);
  const hers = await winnow(['history', project, '--by', 'Ann', '--json']);
  expect(hers.stdout).toBe(history.stdout);
  const nobodys = await winnow(['history', project, '--by', 'Eve']);
  expect([nobodys.stdout, nobodys.stderr]).toEqual(['', 'Nothing was decided by Eve, only by Ann.\n']);
  const { stdout: text } = await winnow(['triage', project, '--coverage', '0']);
  expect(text).toContain(`${decided} of them are decided already, ${left.length} are left to look at`);
}, 300_000);

test('duplicates lists groups of similar images, those whose labels differ first', async () => {
  const project = path.join(folder, 'duplicates.winnow');
  const images = path.join(folder, 'spots');
  for (let i = 0; i < 12; i++) {
    await writeFiles(images, { [`${i % 2 === 0 ? 'cat' : 'dog'}/${i}.png`]: await spots(i).png().toBuffer() });
  }
  await writeFiles(images, {
    'cat/2 again.jpg': await spots(2).resize(100).jpeg({ quality: 60 }).toBuffer(),
    'dog/4 again.jpg': await spots(4).jpeg({ quality: 60 }).toBuffer(),
    'dog/5 again.png': await spots(5).png().toBuffer(),
  });
  expect((await winnow(['import', images, '--project', project])).code).toBe(0);
  const { code, stdout, stderr } = await winnow(['duplicates', project, '--json']);
  expect(code, stderr).toBe(0);
  const groups = JSON.parse(stdout) as { kind: string; conflict: boolean; images: { file: string; label: string }[] }[];
  expect(
    groups.map(({ kind, conflict, images: members }) => [
      kind,
      conflict,
      ...members.map(({ file, label }) => `${label}: ${file}`).toSorted(),
    ]),
  ).toEqual([
    ['near', true, 'cat: cat/4.png', 'dog: dog/4 again.jpg'],
    ['near', false, 'cat: cat/2 again.jpg', 'cat: cat/2.png'],
    ['identical', false, 'dog: dog/5 again.png', 'dog: dog/5.png'],
  ]);
  const { stdout: text } = await winnow(['duplicates', project]);
  expect(text).toContain('3 groups of images that look nearly the same; in 1 of them the labels differ.');
  expect(text).toMatch(/nearly the same, labels differ\n(?: {2}(?:cat {2}cat\/4\.png|dog {2}dog\/4 again\.jpg)\n){2}/);
}, 120_000);

test('serve on a port in use exits with 1 and says so', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await winnow(['serve', '--port', String(port)]);
  taken.close();
  // Without a built window the server does not get as far as its port; that has a test of its own.
  expect([code, stderr]).toEqual([1, expect.stringMatching(`Port ${port} is in use|npm run build`)]);
});

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line in the test's folder. `onLine` sees the growing standard output. */
function winnow(values: string[], onLine?: (child: ReturnType<typeof spawn>, text: string) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...values], {
      cwd: folder,
      env: { ...process.env, WINNOW_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      outcome.stdout += chunk.toString();
      onLine?.(child, chunk.toString());
    });
    child.stderr.on('data', (chunk: Buffer) => {
      outcome.stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...outcome, code }));
  });
}

function fileTimes(root: string): Record<string, number> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(files.map((file) => [file, statSync(path.join(root, file)).mtimeMs]));
}
