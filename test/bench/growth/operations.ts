import type { Operation } from './operation.ts';
import { exportOperations } from './operations/export.ts';
import { importOperations } from './operations/import.ts';
import { likenessOperations } from './operations/likeness.ts';
import { queueOperations } from './operations/queue.ts';
import { reviewOperations } from './operations/review.ts';
import { trainingOperations } from './operations/training.ts';

/** Everything whose cost can depend on the number of samples; docs/performance.md says what is left out, and why. */
export const operations: readonly Operation[] = [
  ...importOperations,
  ...queueOperations,
  ...trainingOperations,
  ...reviewOperations,
  ...likenessOperations,
  ...exportOperations,
];
