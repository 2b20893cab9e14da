import { parentPort } from 'node:worker_threads';
import { groupNearDuplicates } from '../domain/near-duplicates.ts';
import { layOutMap } from './map-layout.ts';
import { readStoredPrints } from './print-file.ts';
import type { WorkReport, WorkRequest } from './preparation-work.ts';

/* A thread for arithmetic that takes seconds, so that no query of the service waits for it. It gets arrays, or an open file, and gives arrays back. */

const port = parentPort;
if (port === null) throw new Error('This program is a thread of the service.');

port.once('message', (request: WorkRequest) => {
  const onProgress = (share: number): void => port.postMessage({ kind: 'progress', share } satisfies WorkReport);
  const result = compute(request, onProgress);
  port.postMessage({ kind: 'done', result } satisfies WorkReport, [result.buffer as ArrayBuffer]);
});

function compute(request: WorkRequest, onProgress: (share: number) => void): Float32Array | Int32Array {
  switch (request.kind) {
    case 'map':
      return layOutMap(request.input, onProgress);
    case 'groups': {
      const pictures = readStoredPrints(request.prints);
      return groupNearDuplicates(pictures, (done) => onProgress(done / pictures.compared.length));
    }
  }
}
