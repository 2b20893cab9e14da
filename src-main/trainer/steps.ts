import * as tf from '@tensorflow/tfjs-core';
import type { TrainingSettings } from '../../shared/domain.ts';
import type { LoadedEngine } from '../engine/engines.ts';
import { interpret, type Program, type TensorWork } from '../engine/program.ts';
import type { Optimizer } from '../sat/optimizer.ts';
import type { Batch, Learner } from '../sat/recipes/recipe.ts';

/** The steps of a run. */
export interface Steps {
  /** One step on one batch. */
  take(batch: Omit<Batch, 'drawn' | 'prepared'>, learningRate: number): StepTensors;
  dispose(): void;
}

/** What one step leaves, for `readStep`. */
export type StepTensors = {
  loss: tf.Scalar;
  targets: tf.Tensor2D;
  probabilities?: tf.Tensor2D;
  spread?: tf.Scalar;
};

/** What the program of a step is given. */
type StepInputs = Pick<Batch, 'images' | 'labels' | 'targets'> & { drawn?: tf.Tensor4D; rates: tf.Tensor1D };

/** The same as plain numbers. */
export interface StepReading {
  loss: number;
  targets: Float32Array;
  probabilities: Float32Array | null;
  spread: number | null;
}

/** Makes two programs of the engine: one for the steps before E_s and one for those from then on, as losses ask no more of the epoch. */
export function createSteps(
  learner: Learner,
  optimizer: Optimizer,
  { startEpoch }: Pick<TrainingSettings, 'startEpoch'>,
  engine: Pick<LoadedEngine, 'compile'>,
): Steps {
  // What the first step draws would be drawn in every other.
  const compile = learner.drawsInLoss ? interpret : engine.compile;
  const programs = new Map<boolean, Program>();
  return {
    take: (batch, learningRate) => {
      const { images, labels, targets, epoch } = batch;
      const hasStarted = epoch >= startEpoch;
      const program = programs.get(hasStarted) ?? compile(stepOf(learner, optimizer, epoch));
      programs.set(hasStarted, program);
      const drawn = learner.draw?.(images);
      const inputs: StepInputs = {
        images,
        labels,
        targets,
        ...(drawn === undefined ? {} : { drawn }),
        rates: tf.tensor1d(optimizer.rates(learningRate)),
      };
      return program.run(inputs) as StepTensors;
    },
    dispose: () => programs.forEach((program) => program.dispose()),
  };
}

/** One step of the optimizer along the gradient of the recipe's loss: `StepInputs` → `StepTensors`. */
function stepOf(learner: Learner, optimizer: Optimizer, epoch: number): TensorWork {
  return (given) => {
    const { rates, drawn = null, ...tensors } = given as StepInputs;
    const batch = { ...tensors, epoch, drawn, prepared: null };
    const prepared = learner.prepare?.(batch) ?? null;
    const kept: tf.NamedTensorMap = {};
    const { value, grads } = tf.variableGrads(() => {
      const { loss, ...rest } = learner.loss({ ...batch, prepared });
      // The gradient's own tidying would take these along.
      for (const [name, tensor] of Object.entries(rest)) if (tensor !== null) kept[name] = tf.keep(tensor.clone());
      return loss;
    }, [...learner.parameters.values()]);
    optimizer.step(grads, rates);
    learner.afterStep?.();
    return { loss: value, ...kept };
  };
}

/** Reads everything at once, so that a GPU is waited for once, and lets go of it. */
export async function readStep(tensors: StepTensors): Promise<StepReading> {
  const { loss, targets, probabilities, spread } = tensors;
  const [lossValue, targetValues, probabilityValues, spreadValue] = await Promise.all(
    [loss, targets, probabilities, spread].map(async (tensor) => await tensor?.data<'float32'>()),
  );
  tf.dispose(tensors);
  return {
    loss: lossValue?.[0] ?? NaN,
    targets: targetValues!,
    probabilities: probabilityValues ?? null,
    spread: spreadValue?.[0] ?? null,
  };
}
