import * as tf from '@tensorflow/tfjs-core';

export interface Sgd {
  /** Applies one step; disposes nothing of the caller's. */
  step(gradients: tf.NamedTensorMap, learningRate: number): void;
  dispose(): void;
}

/**
 * Stochastic gradient descent with Nesterov momentum μ and weight decay λ:
 * g ← ∇ + λθ; v ← μv + g; θ ← θ − η(g + μv).
 * Decay acts on filters and matrices alone; on scales and offsets it would only fight the normalisation.
 * @param parameters by the names that the gradients carry
 */
export function createSgd(
  parameters: ReadonlyMap<string, tf.Variable>,
  { momentum, weightDecay }: { momentum: number; weightDecay: number },
): Sgd {
  const velocities = new Map([...parameters].map(([name, value]) => [name, tf.variable(tf.zerosLike(value), false)]));
  return {
    step: (gradients, learningRate) =>
      tf.tidy(() => {
        for (const [name, parameter] of parameters) {
          const gradient = gradients[name];
          const velocity = velocities.get(name);
          if (gradient === undefined || velocity === undefined) throw new Error(`No gradient for "${name}".`);
          const decayed = parameter.rank > 1 ? tf.add(gradient, tf.mul(parameter as tf.Tensor, weightDecay)) : gradient;
          velocity.assign(tf.add(tf.mul(velocity as tf.Tensor, momentum), decayed));
          const direction = tf.add(decayed, tf.mul(velocity as tf.Tensor, momentum));
          parameter.assign(tf.sub(parameter, tf.mul(direction, learningRate)));
        }
      }),
    dispose: () => tf.dispose([...velocities.values()]),
  };
}
