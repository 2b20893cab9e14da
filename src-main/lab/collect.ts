import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { recipeByName } from '../sat/recipes/registry.ts';
import { errorByCoverage, fateOfLabels, softmaxDoubt, wrongPredictions } from './beliefs.ts';
import type { EngineFacts, LabTraining, TrainingResult } from './experiment.ts';

/** Takes the trainer's events of one training in and keeps what an experiment needs. */
export interface Collector {
  add(event: TrainerEvent): void;
  result(end: { error: string | null; seconds: number }): TrainingResult;
}

export interface CollectorInput {
  training: LabTraining;
  /** Class of each training image, as trained on. */
  given: Int32Array;
  truth: Int32Array;
  heldOut: Int32Array;
  engine: EngineFacts;
}

export function createCollector({ training, given, truth, heldOut, engine }: CollectorInput): Collector {
  const { settings } = training;
  const recipe = recipeByName(settings.recipe);
  const usesLabels = recipe?.usesLabels === true;
  const targetsMove = recipe?.movesTargets === true && settings.startEpoch < settings.epochs;
  const isNoisy = given.some((label, sample) => label !== truth[sample]);
  const epochs: TrainingResult['epochs'] = [];
  const evaluations: TrainingResult['evaluations'] = [];
  let facts = engine;
  let labels: TrainingResult['labels'] = null;
  let coverage: TrainingResult['coverage'] = null;
  return {
    add: (event) => {
      if (event.kind === 'started') {
        const { name, device, version } = event.engine;
        facts = { name, device, version };
      }
      if (event.kind === 'epoch') {
        const { epoch, loss, accuracy, spread, learningRate, seconds, beliefs } = event;
        epochs.push({ epoch, loss, accuracy, spread, learningRate, seconds });
        if (beliefs !== null && isNoisy)
          labels = fateOfLabels(targetsMove ? beliefs.targets : beliefs.probabilities, given, truth);
      }
      if (event.kind === 'evaluated') {
        const { epoch, accuracy, adversarialAccuracy, linearProbeAccuracy, probabilities, abstention } = event;
        evaluations.push({ epoch, accuracy: usesLabels ? accuracy : null, adversarialAccuracy, linearProbeAccuracy });
        if (!usesLabels) return;
        const isWrong = wrongPredictions(probabilities, heldOut);
        coverage = {
          softmaxResponse: errorByCoverage(softmaxDoubt(probabilities, heldOut.length), isWrong),
          abstention: abstention === null ? null : errorByCoverage(abstention, isWrong),
        };
      }
    },
    result: ({ error, seconds }) => ({
      training,
      engine: facts,
      error,
      seconds,
      epochs,
      evaluations,
      labels,
      coverage,
    }),
  };
}
