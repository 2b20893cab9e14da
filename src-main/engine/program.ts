import * as tf from '@tensorflow/tfjs-core';

/** Work on tensors, which may also read and assign tfjs's variables. */
export type TensorWork = (inputs: tf.NamedTensorMap) => tf.NamedTensorMap;

export interface Program {
  /** @returns tensors of the caller's */
  run: TensorWork;
  dispose(): void;
}

/** Operation by operation, as tfjs does it. */
export function interpret(work: TensorWork): Program {
  return { run: (inputs) => tf.tidy(() => work(inputs)), dispose: () => undefined };
}
