import { parentPort } from 'node:worker_threads';

/* A worker thread that reports some progress and never comes to an end. */
parentPort?.once('message', () => parentPort?.postMessage({ kind: 'progress', share: 0.5 }));
setInterval(() => undefined, 1000);
