// A fake at the seam between service and trainer: it reports one good epoch and then fails, as a run does whose loss becomes NaN.
import { recipeByName } from '../../src-main/sat/recipes/registry.ts';
import { answer, playTrainer, reportEpoch } from './trainer-fake.ts';

playTrainer((command) => {
  const abstains = recipeByName(command.settings.recipe)?.gives === 'triage';
  reportEpoch(command, 0, abstains ? new Float32Array(command.labels.length).fill(0.5) : null);
  answer({
    ...{ kind: 'failed', runId: command.runId, reason: 'diverged' },
    message: 'The loss became NaN in epoch 2. Start again with another seed.',
  });
});
