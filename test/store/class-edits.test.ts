import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClassEdit, DecisionInput, ReviewChange } from '../../shared/api.ts';
import { triage } from '../../src-main/domain/triage.ts';
import { readSampleCards, readSampleDetail } from '../../src-main/store/cards.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import { listClasses } from '../../src-main/store/class-list.ts';
import { readMergedClasses } from '../../src-main/store/classes.ts';
import { openDatabase, type Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { readJudgedLabels } from '../../src-main/store/findings.ts';
import { listHistory, redo, undo, undoLabels } from '../../src-main/store/history.ts';
import { countReview } from '../../src-main/store/reviews.ts';
import { createRun, trainingSamples } from '../../src-main/store/runs.ts';
import { exportSamples } from '../../src-main/store/samples.ts';
import { appendEpoch } from '../../src-main/store/targets.ts';
import { applyImport } from '../support/import-samples.ts';
import {
  classId,
  epochReport,
  findingsSummary,
  idOf,
  plan,
  projectWith,
  runWithFindings,
  scanned,
} from './fixtures.ts';

const madeAt = '2026-02-03T04:05:06.789Z';
const paths = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg', 'owl/1.jpg'];

interface Desk {
  /** The open project; another one after `reopen`. */
  db: Database;
  edit: (edit: ClassEdit) => ReviewChange;
  decide: (files: string[], decision: DecisionInput) => ReviewChange;
  class: (name: string) => number;
  sample: (file: string) => number;
  /** Each class with its counts, colour and key. */
  classes: () => string[];
  /** Each present sample as `path: given → current, state`. */
  labels: () => string[];
  importAll: (files?: string[]) => ReturnType<typeof applyImport>;
  reopen: () => void;
}

/** Five images of three classes in a project file. */
function desk(): Desk {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-classes-'));
  const file = path.join(folder, 'project.winnow');
  const open = { db: projectWith(paths, openDatabase(file, { create: true })) };
  onTestFinished(() => {
    open.db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return Object.assign(open, {
    edit: (edit: ClassEdit) => editClass(open.db, edit, { author: 'Ann', madeAt }),
    decide: (files: string[], decision: DecisionInput) =>
      decide(open.db, { sampleIds: files.map((one) => idOf(open.db, one)), decision, decidedAt: madeAt }),
    class: (name: string) => classId(open.db, name),
    sample: (one: string) => idOf(open.db, one),
    classes: () =>
      listClasses(open.db).map(({ name, count, currentCount, color, hotkey }) =>
        [name, count, currentCount, color, hotkey].filter((part) => part !== null).join(' '),
      ),
    labels: () =>
      [...exportSamples(open.db)].map(
        ({ path: one, givenClass, currentClass, state }) => `${one}: ${givenClass} → ${currentClass}, ${state}`,
      ),
    importAll: (files = paths) => applyImport(open.db, { scanned: files.map((one) => scanned(one)), problems: [] }),
    reopen: () => {
      open.db.close();
      open.db = openDatabase(file, { create: false });
    },
  });
}

describe('every edit', () => {
  const edits: [label: string, edit: (d: Desk) => ClassEdit, classes: string[], everything: boolean][] = [
    [
      'Create the class zebra',
      () => ({ kind: 'create', name: 'zebra' }),
      ['cat 2 2', 'dog 2 2', 'owl 1 1', 'zebra 0 0'],
      false,
    ],
    [
      'Rename cat to feline',
      (d) => ({ kind: 'rename', classId: d.class('cat'), name: 'feline' }),
      ['dog 2 2', 'feline 2 2', 'owl 1 1'],
      false,
    ],
    [
      'Merge cat into dog',
      (d) => ({ kind: 'merge', classIds: [d.class('cat')], into: d.class('dog') }),
      ['dog 4 4', 'owl 1 1'],
      true,
    ],
    [
      'Merge 2 classes into dog',
      (d) => ({ kind: 'merge', classIds: [d.class('cat'), d.class('owl'), d.class('cat')], into: d.class('dog') }),
      ['dog 5 5'],
      true,
    ],
    [
      'Split off 2 images as kitten',
      (d) => ({ kind: 'split', sampleIds: [d.sample('cat/1.jpg'), d.sample('dog/2.jpg')], name: 'kitten' }),
      ['cat 2 1', 'dog 2 1', 'kitten 0 2', 'owl 1 1'],
      false,
    ],
    [
      'Colour dog',
      (d) => ({ kind: 'color', classId: d.class('dog'), color: '#AA00ff' }),
      ['cat 2 2', 'dog 2 2 #aa00ff', 'owl 1 1'],
      false,
    ],
    [
      'Give dog the key d',
      (d) => ({ kind: 'hotkey', classId: d.class('dog'), hotkey: 'd' }),
      ['cat 2 2', 'dog 2 2 d', 'owl 1 1'],
      false,
    ],
  ];

  it.each(edits)('%s: is undone and redone, each after the project was closed', (label, edit, after, everything) => {
    const d = desk();
    const before = [d.classes(), d.labels()];
    const done = d.edit(edit(d));
    expect(done).toMatchObject({ label, direction: 'done', everything, undoLabel: label, redoLabel: null });
    expect(done.classes?.map(({ name }) => name)).toEqual(after.map((line) => line.split(' ')[0]));
    expect(d.classes()).toEqual(after);
    const labels = d.labels();
    d.reopen();
    const undone = undo(d.db);
    expect(undone).toMatchObject({ label, direction: 'undone', everything, undoLabel: null, redoLabel: label });
    expect(undone?.classes).toEqual(listClasses(d.db));
    expect([d.classes(), d.labels()]).toEqual(before);
    d.reopen();
    expect(redo(d.db)).toMatchObject({ direction: 'redone', everything, classes: listClasses(d.db) });
    expect([d.classes(), d.labels()]).toEqual([after, labels]);
    expect(listHistory(d.db, { before: null, limit: 5 })).toMatchObject({
      total: 1,
      entries: [{ label, author: 'Ann', madeAt, samples: done.samples.length, status: 'done' }],
    });
  });

  it.each<[string, (d: Desk) => ClassEdit]>([
    ['rename', (d) => ({ kind: 'rename', classId: d.class('cat'), name: 'cat' })],
    ['color', (d) => ({ kind: 'color', classId: d.class('cat'), color: null })],
    ['hotkey', (d) => ({ kind: 'hotkey', classId: d.class('cat'), hotkey: null })],
  ])('%s that changes nothing is not recorded, and keeps what can be redone', (_kind, edit) => {
    const d = desk();
    d.decide(['cat/1.jpg'], { kind: 'drop' });
    undo(d.db);
    expect(d.edit(edit(d))).toMatchObject({ samples: [], classes: listClasses(d.db), redoLabel: 'Drop 1 image' });
    expect(listHistory(d.db, { before: null, limit: 5 }).total).toBe(1);
  });

  it.each<[string, (d: Desk) => ClassEdit, string]>([
    ['create with a name that is taken', () => ({ kind: 'create', name: 'cat' }), 'There is a class cat already'],
    [
      'rename to another class',
      (d) => ({ kind: 'rename', classId: d.class('cat'), name: 'dog' }),
      'To make the two one class, merge cat into it',
    ],
    ['rename of none', () => ({ kind: 'rename', classId: 99, name: 'x' }), 'no class 99'],
    [
      'merge into itself',
      (d) => ({ kind: 'merge', classIds: [d.class('owl'), d.class('cat')], into: d.class('cat') }),
      'cat cannot be merged into itself',
    ],
    ['merge of none', (d) => ({ kind: 'merge', classIds: [99], into: d.class('cat') }), 'no class 99'],
    [
      'split as a class that is there',
      (d) => ({ kind: 'split', sampleIds: [d.sample('cat/1.jpg')], name: 'dog' }),
      'Relabel the images to it instead',
    ],
    ['split of none', () => ({ kind: 'split', sampleIds: [99], name: 'zebra' }), 'no sample 99'],
    ['color of none', () => ({ kind: 'color', classId: 99, color: null }), 'no class 99'],
  ])('%s is refused and leaves nothing behind', (_name, edit, message) => {
    const d = desk();
    expect(() => d.edit(edit(d))).toThrow(message);
    expect([d.classes(), undoLabels(d.db)]).toEqual([
      ['cat 2 2', 'dog 2 2', 'owl 1 1'],
      { undoLabel: null, redoLabel: null },
    ]);
  });
});

describe('a merge', () => {
  it('shows in cards, details, counts and training, and nowhere after undo', () => {
    const d = desk();
    const [cat, dog, owl] = [d.class('cat'), d.class('dog'), d.class('owl')];
    d.decide(['owl/1.jpg'], { kind: 'relabel', classId: cat });
    const ids = paths.map(d.sample);
    const runId = createRun(d.db, {
      plan,
      classIds: [cat, dog, owl],
      samples: { ids: Uint32Array.from(ids), classIds: Uint32Array.from([cat, cat, dog, dog, cat]) },
      startedAt: madeAt,
    });
    const found = (sampleId: number, suggestedClassId: number) => ({
      ...{ sampleId, suggestedClassId, score: 0.75, weight: 0.5, givenTarget: 0.25, suggestedTarget: 0.5 },
      ...{ flipEpoch: 1, flagged: true, abstention: null },
    });
    const list = [found(ids[0]!, dog), found(ids[1]!, owl)];
    appendEpoch(d.db, {
      runId,
      report: epochReport(0),
      beliefs: {
        targets: new Float32Array([0.25, 0.5, 0.25, ...new Array<number>(12).fill(0)]),
        weights: new Float32Array(5).fill(0.5),
        findings: { list, summary: findingsSummary(runId, 0) },
      },
    });
    const shown = () => [
      readSampleDetail(d.db, ids[0]!),
      readSampleCards(d.db, ids.slice(1)),
      countReview(d.db),
      trainingSamples(d.db),
      triage(runId, readJudgedLabels(d.db, runId)),
    ];
    const before = shown();

    d.edit({ kind: 'merge', classIds: [cat], into: dog });
    expect(readMergedClasses(d.db)).toEqual(new Map([[cat, dog]]));
    // The doubt was between the two: it is settled. The other one stands.
    expect(readSampleDetail(d.db, ids[0]!)).toMatchObject({
      givenClassId: dog,
      currentClassId: dog,
      finding: { suggestedClassId: dog, score: 0, flagged: false },
      topTargets: [
        { classId: dog, target: 0.75 },
        { classId: owl, target: 0.25 },
      ],
      history: { given: [0.75], suggested: [0.75] },
    });
    expect(readSampleCards(d.db, [ids[1]!, ids[4]!])).toMatchObject([
      { givenClassId: dog, finding: { suggestedClassId: owl, score: 0.75, flagged: true } },
      { givenClassId: owl, state: 'relabeled', currentClassId: dog, finding: null },
    ]);
    expect(readJudgedLabels(d.db, runId)).toEqual([
      { score: 0, rivalVote: null },
      { score: 0.75, rivalVote: 0.5 },
    ]);
    expect([...trainingSamples(d.db).classIds]).toEqual([dog, dog, dog, dog, dog]);

    // Over two steps an alias leads to where the last one goes.
    d.edit({ kind: 'merge', classIds: [dog], into: owl });
    expect(readMergedClasses(d.db)).toEqual(
      new Map([
        [cat, owl],
        [dog, owl],
      ]),
    );
    expect(new Set(trainingSamples(d.db).classIds)).toEqual(new Set([owl]));
    expect(listClasses(d.db)).toMatchObject([{ id: owl, count: 5, currentCount: 5, exampleIds: ids }]);
    undo(d.db);
    undo(d.db);
    expect(shown()).toEqual(before);
  });

  it('decides whether a decided label still is another than the given one', () => {
    const d = desk();
    d.decide(['cat/1.jpg'], { kind: 'relabel', classId: d.class('dog') });
    d.decide(['cat/2.jpg'], { kind: 'confirm' });
    const before = d.labels();
    d.edit({ kind: 'merge', classIds: [d.class('cat')], into: d.class('dog') });
    expect(d.labels().slice(0, 2)).toEqual(['cat/1.jpg: dog → dog, confirmed', 'cat/2.jpg: dog → dog, confirmed']);
    // Decided so already.
    expect(d.decide(['cat/1.jpg', 'cat/2.jpg'], { kind: 'relabel', classId: d.class('dog') }).undoLabel).toBe(
      'Merge cat into dog',
    );
    d.decide(['cat/1.jpg', 'dog/1.jpg'], { kind: 'drop' });
    undo(d.db);
    d.importAll();
    expect(d.labels()[0]).toBe('cat/1.jpg: dog → dog, confirmed');
    undo(d.db);
    expect(d.labels()).toEqual(before);
  });

  it('confirms where a suggestion is accepted that has come to be the given class', () => {
    const d = desk();
    runWithFindings(d.db, {
      'cat/1.jpg': { score: 0.9, suggested: 'dog' },
      'owl/1.jpg': { score: 0.9, suggested: 'cat' },
    });
    d.edit({ kind: 'merge', classIds: [d.class('cat')], into: d.class('dog') });
    d.decide(['cat/1.jpg', 'owl/1.jpg'], { kind: 'accept-suggestion' });
    expect(d.labels().filter((line) => !line.includes('unreviewed'))).toEqual([
      'cat/1.jpg: dog → dog, confirmed',
      'owl/1.jpg: owl → dog, relabeled',
    ]);
  });

  it('leaves name and key to others, and takes a class by the id that a window may still have', () => {
    const d = desk();
    const cat = d.class('cat');
    d.edit({ kind: 'hotkey', classId: cat, hotkey: '1' });
    d.edit({ kind: 'merge', classIds: [cat], into: d.class('dog') });
    d.edit({ kind: 'rename', classId: d.class('dog'), name: 'cat' });
    d.edit({ kind: 'hotkey', classId: d.class('owl'), hotkey: '1' });
    expect(d.classes()).toEqual(['cat 4 4', 'owl 1 1 1']);
    d.decide(['owl/1.jpg'], { kind: 'relabel', classId: cat });
    expect(d.labels().at(-1)).toBe('owl/1.jpg: owl → cat, relabeled');
    expect(() => d.edit({ kind: 'color', classId: cat, color: null })).toThrow('This class was merged into cat');
    while (undo(d.db) !== null);
    expect(d.classes()).toEqual(['cat 2 2', 'dog 2 2', 'owl 1 1']);
    while (redo(d.db) !== null);
    expect(d.classes()).toEqual(['cat 4 5', 'owl 1 0 1']);
  });
});

it('a key moves from class to class, back and forth', () => {
  const d = desk();
  d.edit({ kind: 'hotkey', classId: d.class('cat'), hotkey: '1' });
  d.edit({ kind: 'hotkey', classId: d.class('dog'), hotkey: '2' });
  d.edit({ kind: 'hotkey', classId: d.class('dog'), hotkey: '1' });
  expect(d.classes()).toEqual(['cat 2 2', 'dog 2 2 1', 'owl 1 1']);
  undo(d.db);
  expect(d.classes()).toEqual(['cat 2 2 1', 'dog 2 2 2', 'owl 1 1']);
  redo(d.db);
  d.edit({ kind: 'hotkey', classId: d.class('dog'), hotkey: null });
  expect(d.classes()).toEqual(['cat 2 2', 'dog 2 2', 'owl 1 1']);
});

describe('a class that was made', () => {
  it('while relabeling leaves the list when that is undone, and its place in the project is used again', () => {
    const d = desk();
    const made = d.decide(['cat/1.jpg'], { kind: 'relabel-new', className: 'lynx' });
    const lynx = d.class('lynx');
    expect(made.classes).toMatchObject([{}, {}, { name: 'lynx', exampleIds: [d.sample('cat/1.jpg')] }, {}]);
    expect(undo(d.db)?.classes?.map(({ name }) => name)).toEqual(['cat', 'dog', 'owl']);
    expect(() => d.decide(['cat/1.jpg'], { kind: 'relabel', classId: lynx })).toThrow(`no class ${lynx}`);
    expect(redo(d.db)?.classes?.map(({ name }) => name)).toEqual(['cat', 'dog', 'lynx', 'owl']);
    undo(d.db);
    d.importAll();
    d.edit({ kind: 'create', name: 'lynx' });
    expect(d.class('lynx')).toBe(lynx);
    // Known by now: nothing is made.
    expect(d.decide(['cat/1.jpg'], { kind: 'relabel-new', className: 'lynx' }).classes).toBeNull();
  });

  it('stays when its making is undone after an import or a run has come to name it', () => {
    const d = desk();
    d.edit({ kind: 'create', name: 'lynx' });
    d.importAll([...paths, 'lynx/1.jpg']);
    expect(d.classes()).toContain('lynx 1 1');
    undo(d.db);
    expect(d.classes()).toContain('lynx 1 1');
    redo(d.db);
    d.decide(['cat/1.jpg'], { kind: 'relabel-new', className: 'kitten' });
    runWithFindings(d.db, { 'cat/2.jpg': { score: 0.9, suggested: 'kitten' } });
    undo(d.db);
    expect(d.classes()).toContain('kitten 0 0');
  });
});

describe('another import', () => {
  it('knows renamed and merged classes by what the folder calls them', () => {
    const d = desk();
    d.edit({ kind: 'rename', classId: d.class('cat'), name: 'feline' });
    d.edit({ kind: 'merge', classIds: [d.class('owl')], into: d.class('dog') });
    const before = [d.classes(), d.labels()];
    expect(d.importAll()).toMatchObject({ unchanged: 5, changed: 0, added: 0 });
    expect([d.classes(), d.labels()]).toEqual(before);
    d.importAll([...paths, 'cat/3.jpg', 'owl/2.jpg', 'feline/4.jpg']);
    expect(d.classes()).toEqual(['dog 4 4', 'feline 4 4']);
    expect(d.importAll([...paths, 'cat/3.jpg', 'owl/2.jpg', 'feline/4.jpg'])).toMatchObject({ unchanged: 8 });
    undo(d.db);
    undo(d.db);
    expect(d.classes()).toEqual(['cat 4 4', 'dog 2 2', 'owl 2 2']);
  });

  it('never stands in the way of undo and redo, even where it takes a name of theirs', () => {
    const d = desk();
    d.edit({ kind: 'create', name: 'lynx' });
    d.edit({ kind: 'rename', classId: d.class('lynx'), name: 'puma' });
    d.edit({ kind: 'rename', classId: d.class('owl'), name: 'bird' });
    undo(d.db);
    d.importAll([...paths, 'lynx/1.jpg', 'bird/1.jpg']);
    redo(d.db);
    expect(d.classes()).toEqual(['bird 1 1', 'bird (2) 1 1', 'cat 2 2', 'dog 2 2', 'lynx 1 1', 'puma 0 0']);
    undo(d.db);
    undo(d.db);
    expect(d.classes()).toEqual(['bird 1 1', 'cat 2 2', 'dog 2 2', 'lynx 1 1', 'lynx (2) 0 0', 'owl 1 1']);
    undo(d.db);
    while (redo(d.db) !== null);
    expect(d.classes()).toEqual(['bird 1 1', 'bird (2) 1 1', 'cat 2 2', 'dog 2 2', 'lynx 1 1', 'puma 0 0']);
  });

  it('keeps classes that an undone merge may need again', () => {
    const d = desk();
    d.edit({ kind: 'merge', classIds: [d.class('cat')], into: d.class('owl') });
    undo(d.db);
    applyImport(d.db, {
      scanned: paths.map((one) => scanned(one, { givenClass: one.startsWith('owl') ? 'dog' : one.split('/')[0]! })),
      problems: [],
    });
    redo(d.db);
    expect(d.classes()).toEqual(['dog 3 3', 'owl 2 2']);
  });
});
