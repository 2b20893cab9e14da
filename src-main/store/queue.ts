import type { Queue, QueueFilter, QueueQuery } from '../../shared/api.ts';
import { reviewStates, type ActionId, type ClassId, type ConfusedPair, type SampleId } from '../../shared/domain.ts';
import { classNames, classResolver } from './classes.ts';
import { statement, type Database } from './database.ts';
import { insideOf } from './region.ts';
import { rowOf } from './sample-columns.ts';
import { sampleIndex, type SampleIndex } from './sample-index.ts';
import { findInPaths, searchKey, searchWords } from './sample-paths.ts';

/** Ids of all present samples that match, in order. */
export function queryQueue(db: Database, { filter, sort }: QueueQuery): Queue {
  const index = sampleIndex(db);
  const { columns } = index;
  const matches = matcher(db, index, filter);
  const ids = new Uint32Array(columns.count);
  const states = new Uint8Array(columns.count);
  let found = 0;
  for (const row of index.order(columns.runId === null && sort !== 'decided' ? 'path' : sort)) {
    if (!matches(row)) continue;
    ids[found] = columns.id[row]!;
    states[found++] = columns.state[row]!;
  }
  return { ids: ids.slice(0, found), states: states.slice(0, found) };
}

/** Every pair of given and suggested label that differ, among the samples that match; most frequent first. */
export function listPairs(db: Database, filter: QueueFilter): ConfusedPair[] {
  const index = sampleIndex(db);
  const { count, given, suggested, state } = index.columns;
  const matches = matcher(db, index, filter);
  const pairs = new Map<number, ConfusedPair>();
  for (let row = 0; row < count; row++) {
    const [givenClassId, suggestedClassId] = [given[row]!, suggested[row]!];
    if (suggestedClassId === 0 || suggestedClassId === givenClassId || !matches(row)) continue;
    const key = givenClassId * 2 ** 26 + suggestedClassId;
    let pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, (pair = { givenClassId, suggestedClassId, count: 0, undecided: 0 }));
    pair.count++;
    if (isUndecided(state[row]!)) pair.undecided++;
  }
  return [...pairs.values()].sort(
    (a, b) => b.count - a.count || a.givenClassId - b.givenClassId || a.suggestedClassId - b.suggestedClassId,
  );
}

type Matcher = (row: number) => boolean;

const [unreviewed, skipped] = [reviewStates.indexOf('unreviewed'), reviewStates.indexOf('skipped')];

/** Skipped means left for later. */
function isUndecided(state: number): boolean {
  return state === unreviewed || state === skipped;
}

function matcher(db: Database, index: SampleIndex, filter: QueueFilter): Matcher {
  const { given, suggested, current, score, flagged, state, decidedBy, reviewers } = index.columns;
  const { minScore, maxScore, triage } = filter;
  const tests: Matcher[] = [];
  const among = (column: Uint32Array, classIds: readonly ClassId[]): void => {
    if (classIds.length === 0) return;
    const wanted = new Set(classIds.map(classResolver(db)));
    tests.push((row) => wanted.has(column[row]!));
  };
  if (filter.states.length > 0) {
    const wanted = reviewStates.map((name) => filter.states.includes(name));
    tests.push((row) => wanted[state[row]!]!);
  }
  among(given, filter.givenClassIds);
  among(suggested, filter.suggestedClassIds);
  among(current, filter.currentClassIds);
  if (filter.decidedBy.length > 0) {
    const wanted = reviewers.map((name) => filter.decidedBy.includes(name));
    tests.push((row) => state[row] !== unreviewed && wanted[decidedBy[row]!]!);
  }
  if (filter.flaggedOnly) tests.push((row) => flagged[row] === 1);
  // Samples that the run has not judged have no score, and so match none of these.
  if (minScore !== null) tests.push((row) => score[row]! >= minScore);
  if (maxScore !== null) tests.push((row) => score[row]! <= maxScore);
  if (triage?.part === 'accept') tests.push((row) => score[row]! < triage.threshold);
  if (triage?.part === 'look') tests.push((row) => score[row]! >= triage.threshold);
  if (filter.actionId !== null) tests.push(changedBy(db, index, filter.actionId));
  if (filter.region !== null) tests.push(insideRegion(index, filter.region));
  for (const word of searchWords(filter.search)) tests.push(naming(db, index, word));
  return (row) => tests.every((test) => test(row));
}

function changedBy(db: Database, { columns }: SampleIndex, actionId: ActionId): Matcher {
  const changed = new Uint8Array(columns.count);
  const ids = statement<SampleId>(db, 'SELECT sample_id FROM action_change WHERE action_id = ?').pluck().all(actionId);
  for (const id of ids) {
    const row = rowOf(columns, id);
    if (row !== -1) changed[row] = 1;
  }
  return (row) => changed[row] === 1;
}

function insideRegion(index: SampleIndex, region: readonly number[]): Matcher {
  const positions = index.positions();
  if (positions === null) return () => false;
  const isInside = insideOf(region);
  return (row) => isInside(positions[2 * row]!, positions[2 * row + 1]!);
}

/** Samples in whose path, or in the name of one of whose classes, the word occurs. */
function naming(db: Database, index: SampleIndex, word: string): Matcher {
  const { given, suggested, current } = index.columns;
  const inPath = findInPaths(index.paths(), word);
  const named = new Set([...classNames(db)].filter(([, name]) => searchKey(name).includes(word)).map(([id]) => id));
  return (row) => inPath[row] === 1 || named.has(given[row]!) || named.has(suggested[row]!) || named.has(current[row]!);
}
