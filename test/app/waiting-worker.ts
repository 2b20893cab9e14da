import { parentPort } from 'node:worker_threads';

/* A worker thread that says again and again that it is halfway, and never comes to an end. */
setInterval(() => parentPort?.postMessage({ kind: 'progress', share: 0.5 }), 100);
