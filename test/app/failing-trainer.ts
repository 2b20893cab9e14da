// A fake at the seam between the lab and the trainer: plain cross-entropy runs to its end, SAT fails as where memory runs out, and
// everything else takes the process along.
import process from 'node:process';
import { answer, fakeEngine, playTrainer } from './trainer-fake.ts';

playTrainer(({ runId, settings: { recipe } }) => {
  answer({ kind: 'started', runId, engine: fakeEngine });
  if (recipe === 'cross-entropy') answer({ kind: 'done', runId });
  else if (recipe === 'sat') answer({ kind: 'failed', runId, reason: 'error', message: 'No memory is left.' });
  else process.abort();
});
