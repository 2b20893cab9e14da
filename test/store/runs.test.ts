import { describe, expect, it, vi } from 'vitest';
import { readSampleDetail } from '../../src-main/store/cards.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { findingsRunId, readFindingsSummary, readFlipEpochs } from '../../src-main/store/findings.ts';
import {
  createRun,
  filesOfRun,
  markInterruptedRuns,
  hasFinishedRun,
  latestRun,
  samplesOfRun,
  setRunStatus,
  trainingSamples,
} from '../../src-main/store/runs.ts';
import { appendEpoch, readTargetPath, readTargets, type EpochBeliefs } from '../../src-main/store/targets.ts';
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

const startedAt = '2026-01-01T00:00:00.000Z';
const paths = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg', 'dog/3.jpg'];

it('trains on present samples with their labels after the decisions', () => {
  const db = projectWith(paths);
  const decidedAt = startedAt;
  decide(db, {
    sampleIds: [idOf(db, 'cat/1.jpg')],
    decision: { kind: 'relabel', classId: classId(db, 'dog') },
    decidedAt,
  });
  decide(db, { sampleIds: [idOf(db, 'cat/2.jpg')], decision: { kind: 'skip' }, decidedAt });
  decide(db, { sampleIds: [idOf(db, 'dog/1.jpg')], decision: { kind: 'drop' }, decidedAt });
  applyImport(db, { scanned: paths.slice(0, 4).map((path) => scanned(path)), problems: [] });
  const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
  expect(trainingSamples(db)).toEqual({
    ids: Uint32Array.from(['cat/1.jpg', 'cat/2.jpg', 'dog/2.jpg'], (path) => idOf(db, path)),
    classIds: Uint32Array.of(dog, cat, dog),
  });
});

describe('a run', () => {
  /** More than two blocks of targets, three classes, of which the last has no samples. */
  const samples = 2500;
  function project() {
    const db = projectWith(Array.from({ length: samples }, (_, i) => `${i % 2 === 0 ? 'cat' : 'dog'}/${i}.jpg`));
    decide(db, { sampleIds: [1], decision: { kind: 'relabel-new', className: 'owl' }, decidedAt: startedAt });
    const classIds = [classId(db, 'owl'), classId(db, 'dog'), classId(db, 'cat')];
    const runId = createRun(db, { plan, classIds, samples: trainingSamples(db), startedAt });
    return { db, runId, classIds };
  }
  /** Multiples of 1/1024 below 1, which float16 holds exactly from 1/2 on and nearly so below. */
  const targetsOf = (epoch: number): Float32Array =>
    Float32Array.from({ length: samples * 3 }, (_, i) => (512 + ((i * 31 + epoch * 7) % 512)) / 1024);
  const weightsOf = (epoch: number): Float32Array =>
    Float32Array.from({ length: samples }, (_, i) => (512 + ((i + epoch) % 512)) / 1024);

  it('is read again as it was stored, never more than a page of rows at once', () => {
    const { db, runId } = project();
    const stored = trainingSamples(db);
    expect(readFlipEpochs(db, runId)).toBeNull();
    const flipEpochs = Int32Array.from(stored.ids, (id) => (id % 3 === 0 ? id % 7 : -1));
    const list = Array.from(stored.ids, (sampleId, i) => ({
      ...{ sampleId, suggestedClassId: stored.classIds[i]!, score: 0, weight: 1, givenTarget: 1, suggestedTarget: 1 },
      ...{ flipEpoch: flipEpochs[i] === -1 ? null : flipEpochs[i]!, flagged: false, abstention: null },
    }));
    const findings = { list, summary: findingsSummary(runId, 0) };
    const beliefs = { targets: targetsOf(0), weights: weightsOf(0), findings };
    appendEpoch(db, { runId, report: epochReport(0), beliefs });

    const answers = vi.spyOn(Object.getPrototypeOf(db.prepare('SELECT 1')) as { all(): unknown[] }, 'all');
    const files = [...filesOfRun(db, runId)];
    expect([samplesOfRun(db, runId), readFlipEpochs(db, runId)]).toEqual([stored, flipEpochs]);
    expect(files.map(({ path }) => idOf(db, path))).toEqual([...stored.ids]);
    const rows = answers.mock.results.map(({ value }) => (value as unknown[]).length);
    expect(Math.max(...rows)).toBeLessThanOrEqual(1000);
    answers.mockRestore();
  });

  it('keeps the targets and weights of every sample in every epoch', () => {
    const { db, runId, classIds } = project();
    for (const epoch of [0, 1, 2]) {
      appendEpoch(db, {
        runId,
        report: epochReport(epoch),
        beliefs: { targets: targetsOf(epoch), weights: weightsOf(epoch), findings: null },
      });
    }
    const last = readTargets(db, runId);
    expect(last).toMatchObject({ epoch: 2, classIds });
    expect(last?.targets).toEqual(targetsOf(2));
    expect(last?.sampleIds).toHaveLength(samples);
    expect(readTargets(db, runId, 1)?.targets).toEqual(targetsOf(1));
    expect(readTargets(db, runId, 3)).toBeNull();
    for (const row of [0, 1023, 1024, 2499]) {
      expect(readTargetPath(db, runId, row + 1)?.epochs).toEqual(
        [0, 1, 2].map((epoch) => ({
          epoch,
          targets: targetsOf(epoch).subarray(row * 3, row * 3 + 3),
          weight: weightsOf(epoch)[row],
        })),
      );
    }
    expect(latestRun(db)).toMatchObject({
      id: runId,
      status: 'preparing',
      plan,
      startedAt,
      epochs: [0, 1, 2].map(epochReport),
    });
  });

  it('shows a sample with its path over the epochs and the classes that its target likes best', () => {
    const { db, runId, classIds } = project();
    const [owl, dog, cat] = classIds as [number, number, number];
    const targets = new Float32Array(samples * 3);
    const finding = {
      suggestedClassId: dog,
      score: 0.75,
      weight: 0.75,
      givenTarget: 0.25,
      suggestedTarget: 0.75,
      flipEpoch: 1,
      flagged: true,
      abstention: 0.125,
    };
    const summary = findingsSummary(runId, 1);
    for (const [epoch, row] of [
      [0, 0, 1],
      [0, 0.75, 0.25],
    ].entries()) {
      targets.set(row, 3 * 2);
      const weights = new Float32Array(samples).fill(Math.max(...row));
      appendEpoch(db, {
        runId,
        report: epochReport(epoch),
        beliefs: { targets, weights, findings: { list: [{ sampleId: 3, ...finding }], summary } },
      });
    }
    expect(readSampleDetail(db, 3)).toMatchObject({
      path: 'cat/100.jpg',
      finding: { sampleId: 3, ...finding },
      topTargets: [
        { classId: dog, target: 0.75 },
        { classId: cat, target: 0.25 },
        { classId: owl, target: 0 },
      ],
      history: { epochs: [0, 1], given: [1, 0.25], suggested: [0, 0.75], weight: [1, 0.75] },
      duplicateIds: [],
    });
    expect(readFindingsSummary(db)).toEqual(summary);
  });

  it('stores an epoch wholly or not at all', () => {
    const { db, runId } = project();
    const bad = {
      sampleId: 99_999,
      suggestedClassId: 1,
      score: 0,
      weight: 0,
      givenTarget: 0,
      suggestedTarget: 0,
      flipEpoch: null,
      flagged: false,
      abstention: null,
    };
    const findings = { list: [bad], summary: findingsSummary(runId, 0) };
    const append = (targets: Float32Array, stored: EpochBeliefs['findings']) =>
      appendEpoch(db, {
        runId,
        report: epochReport(0),
        beliefs: { targets, weights: weightsOf(0), findings: stored },
      });
    expect(() => append(targetsOf(0), findings)).toThrow('FOREIGN KEY');
    expect(() => append(targetsOf(0).subarray(3), null)).toThrow('another shape');
    expect([latestRun(db)?.epochs, readTargets(db, runId)]).toEqual([[], null]);
  });

  it('that goes on does epochs again, which take the place of themselves and of later ones', () => {
    const { db, runId } = project();
    const append = (epoch: number, of: number): void =>
      appendEpoch(db, {
        runId,
        report: { ...epochReport(epoch), loss: of },
        beliefs: { targets: targetsOf(of), weights: weightsOf(of), findings: null },
      });
    for (const epoch of [0, 1, 2]) append(epoch, epoch);
    append(1, 7);
    expect(latestRun(db)?.epochs.map(({ epoch, loss }) => [epoch, loss])).toEqual([
      [0, 0],
      [1, 7],
    ]);
    expect(readTargets(db, runId)).toEqual(expect.objectContaining({ epoch: 1, targets: targetsOf(7) }));
    expect(readTargets(db, runId, 2)).toBeNull();
  });
});

it('does not hide the findings of the run before until it has its own', () => {
  const db = projectWith(paths);
  const first = runWithFindings(db, {});
  const second = createRun(db, { plan, classIds: [1, 2], samples: trainingSamples(db), startedAt });
  expect([findingsRunId(db), latestRun(db)?.id]).toEqual([first, second]);
});

it('keeps the findings of the run before when a run learns no labels', () => {
  const db = projectWith(paths);
  const judged = runWithFindings(db, {});
  const encoder = createRun(db, {
    plan: { ...plan, recipe: 'pretrain' },
    classIds: [1, 2],
    samples: trainingSamples(db),
    startedAt,
  });
  const report = { ...epochReport(0), accuracy: null, spread: 0.97, doubts: 0 };
  appendEpoch(db, { runId: encoder, report, beliefs: null });
  expect(hasFinishedRun(db, 'pretrain')).toBe(false);
  setRunStatus(db, { runId: encoder, status: 'done', endedAt: startedAt });
  expect(hasFinishedRun(db, 'pretrain')).toBe(true);
  expect(latestRun(db)).toMatchObject({ id: encoder, epochs: [report] });
  expect(findingsRunId(db)).toBe(judged);
  expect(readSampleDetail(db, 1).history.epochs).toEqual([0]);
});

it('marks runs that nobody trains any more as interrupted, and says what is kept', () => {
  const db = projectWith(paths);
  const done = runWithFindings(db, {});
  setRunStatus(db, { runId: done, status: 'done', endedAt: startedAt });
  const killed = runWithFindings(db, {});
  setRunStatus(db, { runId: killed, status: 'running' });
  expect(markInterruptedRuns(db, '2026-01-02')).toEqual([killed]);
  expect(latestRun(db)).toMatchObject({
    id: killed,
    status: 'interrupted',
    endedAt: '2026-01-02',
    error: 'Winnow ended without warning while it was training; everything up to epoch 1 is kept.',
  });
  expect(markInterruptedRuns(db, '2026-01-03')).toEqual([]);
});
