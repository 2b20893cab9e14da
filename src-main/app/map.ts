import type { EmbeddingMap, Prepared, RunId } from '../../shared/domain.ts';
import { createRandom, permutation } from '../domain/random.ts';
import type { Database } from '../store/database.ts';
import { embeddedRunId, embeddingStarts, readEmbeddings } from '../store/embeddings.ts';
import {
  readMapColumns,
  readMapPositions,
  readPresence,
  readRunLabels,
  readRunSamples,
  writeMap,
} from '../store/map.ts';
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
  const present = readPresence(db);
  const order = permutation(samples.length, createRandom(runId)).filter(
    (position) => present[samples[position]!] === 1,
  );
  const ids = Uint32Array.from(order, (position) => samples[position]!);
  const places = new Float32Array(2 * ids.length);
  order.forEach((position, i) => {
    places[2 * i] = positions[2 * position]!;
    places[2 * i + 1] = positions[2 * position + 1]!;
  });
  return { runId, ids, positions: places, ...readMapColumns(db, ids) };
}
