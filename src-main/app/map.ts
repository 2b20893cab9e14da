import type { EmbeddingMap, Prepared, RunId } from '../../shared/domain.ts';
import { createRandom, permutation } from '../domain/random.ts';
import type { Database } from '../store/database.ts';
import { embeddedRunId, embeddingStarts, readEmbeddings } from '../store/embeddings.ts';
import { readMapColumns, readMapPositions, readRunLabels, readRunSamples, writeMap } from '../store/map.ts';
import { nextTurn } from './next-turn.ts';
import { layOutInThread } from './preparation-work.ts';
import type { Preparations, Work } from './preparation.ts';

/** The map of the newest complete embeddings; made by the first to ask for it. */
export function getMap(db: Database, preparations: Preparations, workerProgram: string): Prepared<EmbeddingMap> {
  const runId = embeddedRunId(db);
  if (runId === null) {
    return {
      status: 'unavailable',
      reason:
        'The map shows which images look alike to the model, and no training has come to its end yet. Train first.',
    };
  }
  const positions = readMapPositions(db, runId);
  if (positions === null) return preparations.ask('map', String(runId), makeMap(db, runId, workerProgram));
  return { status: 'ready', value: composeMap(db, runId, positions) };
}

function makeMap(db: Database, runId: RunId, program: string): Work {
  return async ({ signal, report }) => {
    const classes = readRunLabels(db, runId);
    const total = classes.length;
    report(0, total);
    const parts: Uint16Array<ArrayBuffer>[] = [];
    let dimension = 0;
    for (const start of embeddingStarts(db, runId)) {
      const part = readEmbeddings(db, runId, start);
      // A newer run has taken the place of this one; whoever asks again gets the map of that.
      if (part === null) return;
      parts.push(part.vectors);
      dimension = part.dimension;
      await nextTurn(signal);
    }
    const positions = await layOutInThread(
      { parts, dimension, classes },
      {
        program,
        transfer: parts.map(({ buffer }) => buffer),
        onProgress: (share) => report(Math.round(share * total), total),
        signal,
      },
    );
    signal.throwIfAborted();
    writeMap(db, runId, positions);
  };
}

/** The present samples of a run in random order, which depends on the run alone, with all that is known of them now. */
function composeMap(db: Database, runId: RunId, positions: Float32Array): EmbeddingMap {
  const samples = readRunSamples(db, runId);
  const { present, given, suggested, weight, doubt, state, classIds } = readMapColumns(db, samples);
  const order = permutation(samples.length, createRandom(runId)).filter((position) => present[position] === 1);
  return {
    runId,
    ids: inOrder(samples, order),
    positions: inOrder(positions, order, 2),
    given: inOrder(given, order),
    suggested: inOrder(suggested, order),
    weight: inOrder(weight, order),
    doubt: inOrder(doubt, order),
    state: inOrder(state, order),
    classIds,
  };
}

/** The rows of an array in another order. `from` with a function would take several times as long. */
function inOrder<A extends Float32Array | Uint32Array | Uint16Array | Uint8Array>(
  values: A,
  order: Int32Array,
  width = 1,
): A {
  const ordered = new (values.constructor as new (length: number) => A)(order.length * width);
  for (let row = 0; row < order.length; row++) {
    for (let column = 0; column < width; column++)
      ordered[row * width + column] = values[order[row]! * width + column]!;
  }
  return ordered;
}
