// A fake at the seam between service and trainer: it reports one good epoch and then fails, as a run does whose loss becomes NaN.
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { recipeByName } from '../../src-main/sat/recipes/registry.ts';

process.on('message', (command: TrainerCommand) => {
  const { runId } = command;
  if (command.kind === 'probe') {
    const engine = { name: 'wasm', available: true, device: 'fake', version: '', source: null } as const;
    answer({ kind: 'probed', runId, engine: { ...engine, trainingGflops: 5, absentBecause: null } });
  }
  if (command.kind !== 'train') return;
  const { labels, settings } = command;
  const even = new Float32Array(labels.length * settings.classes).fill(1 / settings.classes);
  answer({
    ...{ kind: 'epoch', runId, epoch: 0, loss: 1, accuracy: 0.5, spread: null, learningRate: 0.1 },
    ...{ imagesPerSecond: 100, seconds: 1, secondsLeft: 9 },
    beliefs: {
      targets: even,
      probabilities: even,
      average: even,
      abstention: recipeByName(settings.recipe)?.gives === 'triage' ? new Float32Array(labels.length).fill(0.5) : null,
    },
  });
  answer({
    ...{ kind: 'failed', runId, reason: 'diverged' },
    message: 'The loss became NaN in epoch 2. Start again with another seed.',
  });
});

function answer(event: TrainerEvent): void {
  process.send?.(event);
}
