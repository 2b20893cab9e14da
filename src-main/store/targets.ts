import type { ClassId, EpochReport, Finding, FindingsSummary, RunId, SampleId } from '../../shared/domain.ts';
import { allRows, firstRow, inTransaction, numberOf, statement, type Database } from './database.ts';
import { replaceFindings } from './findings.ts';
import { fromHalf, toHalf } from './half.ts';

export interface EpochResult {
  runId: RunId;
  report: EpochReport;
  /** What the run believes about the labels after this epoch; null for runs that learn without them. */
  beliefs: EpochBeliefs | null;
}

export interface EpochBeliefs {
  /** Soft targets, `[samples, classes]`. */
  targets: Float32Array;
  /** Confidence weights, `[samples]`. */
  weights: Float32Array;
  /** What takes the place of the run's findings so far; null keeps them. */
  findings: { list: Iterable<Finding>; summary: FindingsSummary } | null;
}

export interface RunTargets {
  epoch: number;
  /** Row i of the targets belongs to `sampleIds[i]`, trained with the label `labels[i]`. */
  sampleIds: SampleId[];
  labels: ClassId[];
  /** Column j of the targets belongs to `classIds[j]`. */
  classIds: ClassId[];
  /** `[samples, classes]`, with the precision of float16. */
  targets: Float32Array;
}

/** The targets and weight of one sample after each epoch. */
export interface TargetPath {
  classIds: ClassId[];
  epochs: { epoch: number; targets: Float32Array; weight: number }[];
}

/** Samples whose targets lie in one blob. */
const blockLength = 1024;
const bytesPerNumber = 2;

/**
 * Stores everything an epoch has brought, in one transaction: it is either all there or not at all. It takes the place of itself and of later
 * epochs, which a run that went on from before them does again.
 */
export function appendEpoch(db: Database, { runId, report, beliefs }: EpochResult): void {
  inTransaction(db, () => {
    statement(db, 'DELETE FROM epoch WHERE run_id = ? AND epoch >= ?').run(runId, report.epoch);
    statement(
      db,
      `INSERT INTO epoch (run_id, epoch, loss, accuracy, spread, learning_rate, images_per_second, seconds, seconds_left, doubts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      runId,
      report.epoch,
      report.loss,
      report.accuracy,
      report.spread,
      report.learningRate,
      report.imagesPerSecond,
      report.seconds,
      report.secondsLeft,
      report.doubts,
    );
    if (beliefs !== null) storeBeliefs(db, runId, report.epoch, beliefs);
  });
}

/** Targets of all samples of a run after its latest epoch, or after `epoch`; null if it has not got that far. */
export function readTargets(db: Database, runId: RunId, epoch: number | null = null): RunTargets | null {
  const found = firstRow<{ epoch: number }>(
    db,
    'SELECT epoch FROM epoch WHERE run_id = ? AND epoch = coalesce(?, epoch) ORDER BY epoch DESC LIMIT 1',
    runId,
    epoch,
  );
  if (found === null) return null;
  const classIds = readClassIds(db, runId);
  const samples = allRows<{ sample_id: SampleId; class_id: ClassId }>(
    db,
    'SELECT sample_id, class_id FROM run_sample WHERE run_id = ? ORDER BY position',
    runId,
  );
  const targets = new Float32Array(samples.length * classIds.length);
  const blocks = allRows<{ block: number; targets: Buffer }>(
    db,
    'SELECT block, targets FROM epoch_target WHERE run_id = ? AND epoch = ?',
    runId,
    found.epoch,
  );
  for (const block of blocks) targets.set(fromHalf(block.targets), block.block * blockLength * classIds.length);
  return {
    epoch: found.epoch,
    sampleIds: samples.map((row) => row.sample_id),
    labels: samples.map((row) => row.class_id),
    classIds,
    targets,
  };
}

/** The path of one sample over the epochs of a run; null if the run has no such sample. */
export function readTargetPath(db: Database, runId: RunId, sampleId: SampleId): TargetPath | null {
  const place = firstRow<{ position: number }>(
    db,
    'SELECT position FROM run_sample WHERE run_id = ? AND sample_id = ?',
    runId,
    sampleId,
  );
  if (place === null) return null;
  const classIds = readClassIds(db, runId);
  const row = place.position % blockLength;
  const rowBytes = classIds.length * bytesPerNumber;
  // substr counts the bytes of a blob from 1.
  return {
    classIds,
    epochs: allRows<{ epoch: number; targets: Buffer; weight: Buffer }>(
      db,
      `SELECT epoch, substr(targets, ?, ?) AS targets, substr(weights, ?, ?) AS weight
         FROM epoch_target WHERE run_id = ? AND block = ? ORDER BY epoch`,
      row * rowBytes + 1,
      rowBytes,
      row * bytesPerNumber + 1,
      bytesPerNumber,
      runId,
      Math.floor(place.position / blockLength),
    ).map(({ epoch, targets, weight }) => ({ epoch, targets: fromHalf(targets), weight: fromHalf(weight)[0] ?? 0 })),
  };
}

function storeBeliefs(db: Database, runId: RunId, epoch: number, { targets, weights, findings }: EpochBeliefs): void {
  const samples = weights.length;
  const classes = numberOf(db, 'SELECT count(*) AS value FROM run_class WHERE run_id = ?', runId);
  if (samples !== countRunSamples(db, runId) || targets.length !== samples * classes) {
    throw new Error(
      `Run ${runId} has targets of another shape: ${targets.length} for ${samples} samples of ${classes} classes.`,
    );
  }
  const insert = statement(
    db,
    'INSERT INTO epoch_target (run_id, epoch, block, targets, weights) VALUES (?, ?, ?, ?, ?)',
  );
  for (let block = 0, from = 0; from < samples; block++, from += blockLength) {
    const to = Math.min(from + blockLength, samples);
    insert.run(
      runId,
      epoch,
      block,
      toHalf(targets.subarray(from * classes, to * classes)),
      toHalf(weights.subarray(from, to)),
    );
  }
  if (findings !== null) replaceFindings(db, { runId, findings: findings.list, summary: findings.summary });
}

function countRunSamples(db: Database, runId: RunId): number {
  return numberOf(db, 'SELECT count(*) AS value FROM run_sample WHERE run_id = ?', runId);
}

/** The class of each column of a run's targets. */
export function readClassIds(db: Database, runId: RunId): ClassId[] {
  return allRows<{ class_id: ClassId }>(
    db,
    'SELECT class_id FROM run_class WHERE run_id = ? ORDER BY position',
    runId,
  ).map((row) => row.class_id);
}
