import * as tf from '@tensorflow/tfjs-core';
import type { OptimizerName } from '../../shared/domain.ts';
import { fusedSgdStep } from './operations.ts';

export interface Optimizer {
  /**
   * Counts a step and says what it is to be given. Apart from `step`, so that a step is the same work each time and what changes comes
   * to it as a tensor.
   */
  rates(learningRate: number): number[];
  /** Applies one step; disposes nothing of the caller's. `rates` holds what the method of that name gave. */
  step(gradients: tf.NamedTensorMap, rates: tf.Tensor1D): void;
  /** What it remembers of earlier steps: by kind, one tensor for each parameter, by the parameter's name. */
  slots: Readonly<Record<string, ReadonlyMap<string, tf.Variable>>>;
  /** Steps taken; to be set when an earlier optimizer's slots are taken over. */
  steps: number;
  dispose(): void;
}

/** @param parameters by the names that the gradients carry */
export function createOptimizer(
  name: OptimizerName,
  parameters: ReadonlyMap<string, tf.Variable>,
  weightDecay: number,
): Optimizer {
  switch (name) {
    case 'sgd-nesterov':
      return createSgd(parameters, {
        momentum,
        weightDecay,
        nesterov: true,
        decays: (parameter) => parameter.rank > 1,
      });
    case 'sgd':
      return createSgd(parameters, { momentum, weightDecay, nesterov: false, decays: () => true });
    case 'adam':
      return createAdam(parameters);
  }
}

const momentum = 0.9;

interface SgdSettings {
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
  decays: (parameter: tf.Variable) => boolean;
}

/**
 * Stochastic gradient descent with momentum μ and weight decay λ: g ← ∇ + λθ; v ← μv + g; θ ← θ − ηv, or with Nesterov's
 * look-ahead θ ← θ − η(g + μv). On scales and offsets decay would only fight the normalisation, so ours acts on filters and
 * matrices alone; PyTorch's default, which the authors use, acts on everything.
 */
function createSgd(parameters: ReadonlyMap<string, tf.Variable>, settings: SgdSettings): Optimizer {
  const { momentum, weightDecay, nesterov, decays } = settings;
  const velocities = zerosLike(parameters);
  return {
    slots: { velocity: velocities },
    steps: 0,
    rates(learningRate) {
      this.steps += 1;
      return [learningRate];
    },
    step: (gradients, learningRate) => {
      tf.tidy(() => {
        for (const [name, parameter] of parameters) {
          const gradient = gradientOf(gradients, name);
          const velocity = velocities.get(name)!;
          const fused = fusedSgdStep(
            { parameter, velocity, gradient, learningRate },
            { momentum, nesterov, weightDecay: decays(parameter) ? weightDecay : 0 },
          );
          if (fused !== null) {
            parameter.assign(fused[0]);
            velocity.assign(fused[1]);
            continue;
          }
          const decayed = decays(parameter) ? tf.add(gradient, tf.mul(parameter as tf.Tensor, weightDecay)) : gradient;
          velocity.assign(tf.add(tf.mul(velocity as tf.Tensor, momentum), decayed));
          const direction = nesterov ? tf.add(decayed, tf.mul(velocity as tf.Tensor, momentum)) : velocity;
          parameter.assign(tf.sub(parameter, tf.mul(direction, learningRate)));
        }
      });
    },
    dispose: () => tf.dispose([...velocities.values()]),
  };
}

/** Adam (Kingma & Ba 2015) with its usual constants, without weight decay. */
function createAdam(parameters: ReadonlyMap<string, tf.Variable>): Optimizer {
  const [decay1, decay2, epsilon] = [0.9, 0.999, 1e-8];
  const means = zerosLike(parameters);
  const squares = zerosLike(parameters);
  return {
    slots: { mean: means, square: squares },
    steps: 0,
    rates(learningRate) {
      this.steps += 1;
      // Both averages start at zero; this takes that start out.
      const correction = Math.sqrt(1 - decay2 ** this.steps);
      return [(learningRate * correction) / (1 - decay1 ** this.steps), epsilon * correction];
    },
    step: (gradients, rates) => {
      tf.tidy(() => {
        const [rate, stabilizer] = tf.unstack(rates) as [tf.Scalar, tf.Scalar];
        for (const [name, parameter] of parameters) {
          const gradient = gradientOf(gradients, name);
          const mean = means.get(name)!;
          const square = squares.get(name)!;
          mean.assign(tf.add(tf.mul(mean as tf.Tensor, decay1), tf.mul(gradient, 1 - decay1)));
          square.assign(tf.add(tf.mul(square as tf.Tensor, decay2), tf.mul(tf.square(gradient), 1 - decay2)));
          const direction = tf.div(mean, tf.add(tf.sqrt(square as tf.Tensor), stabilizer));
          parameter.assign(tf.sub(parameter, tf.mul(direction, rate)));
        }
      });
    },
    dispose: () => tf.dispose([...means.values(), ...squares.values()]),
  };
}

function zerosLike(parameters: ReadonlyMap<string, tf.Variable>): Map<string, tf.Variable> {
  return new Map([...parameters].map(([name, value]) => [name, tf.variable(tf.zerosLike(value), false)]));
}

function gradientOf(gradients: tf.NamedTensorMap, name: string): tf.Tensor {
  const gradient = gradients[name];
  if (gradient === undefined) throw new Error(`No gradient for "${name}".`);
  return gradient;
}
